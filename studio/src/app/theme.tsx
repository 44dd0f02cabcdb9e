import { signal } from "@preact/signals";

const themes = ["auto", "light", "dark"] as const;
type Theme = (typeof themes)[number];
const KEY = "scconv-studio-theme";

/** A browser may refuse storage; the theme then lasts as long as the page. */
const stored = (): Theme => {
  try {
    return themes.find((t) => t === localStorage.getItem(KEY)) ?? "auto";
  } catch {
    return "auto";
  }
};

export const theme = signal<Theme>(stored());
const system = matchMedia("(prefers-color-scheme: dark)");
export const dark = signal(system.matches);

function apply(): void {
  const chosen = theme.value;
  dark.value = chosen === "auto" ? system.matches : chosen === "dark";
  document.documentElement.dataset.theme = dark.value ? "dark" : "light";
}

export function startTheme(): void {
  system.addEventListener("change", apply);
  theme.subscribe(apply);
}

export function ThemeSelect() {
  return (
    <label class="theme">
      Theme
      <select
        value={theme.value}
        onChange={(e) => {
          theme.value = e.currentTarget.value as Theme;
          try {
            localStorage.setItem(KEY, theme.value);
          } catch {
            // Said above.
          }
        }}
      >
        {themes.map((t) => (
          <option key={t} value={t}>
            {t}
          </option>
        ))}
      </select>
    </label>
  );
}
