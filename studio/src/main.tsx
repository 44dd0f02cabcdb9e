import "@picocss/pico/css/pico.min.css";
import "./style/studio.css";
import { render } from "preact";
import { App } from "./app/app.js";
import { findCapabilities } from "./app/capabilities.js";
import { startTheme } from "./app/theme.js";

startTheme();
void findCapabilities();
render(<App />, document.getElementById("studio")!);
