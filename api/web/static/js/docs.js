// Swagger UI on the document of this server. Scripts that are deferred run in their order, so that
// it is there already.
const calls = document.getElementById("calls");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function follow() {
  const { theme } = document.documentElement.dataset;
  const isDark = theme === "dark" || (theme === "system" && dark.matches);
  document.documentElement.classList.toggle("dark-mode", isDark);
}

dark.addEventListener("change", follow);
follow();

window.SwaggerUIBundle({
  url: calls.dataset.document,
  domNode: calls,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  filter: true,
  displayRequestDuration: true,
  requestSnippetsEnabled: true,
  // A key that was typed in is forgotten with the page.
  persistAuthorization: false,
  // It would send the document to somebody else's server.
  validatorUrl: null,
});
