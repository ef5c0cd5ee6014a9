// Sets the colour scheme before the first paint. A file, not an inline script: the Content-Security-Policy allows none.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("omnidesk-color-scheme");
  } catch {
    // storage may be forbidden: then the system decides
  }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
