import { useEffect, useState } from "preact/hooks";

/** The width of a phone: rows of tables become cards. */
const query = matchMedia("(max-width: 720px)");

export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(query.matches);
  useEffect(() => {
    const listen = () => setNarrow(query.matches);
    query.addEventListener("change", listen);
    return () => query.removeEventListener("change", listen);
  }, []);
  return narrow;
}
