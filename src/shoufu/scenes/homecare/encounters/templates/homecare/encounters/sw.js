const version = {{ version|safe }};
const kept = {{ kept|safe }};
const page = {{ page|safe }};

// A new version is fetched whole beside the old one, and takes over when the app says so: never in the middle of a visit.
self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(version).then((cache) => cache.addAll(kept.map((address) => new Request(address, { cache: "reload" })))));
});

self.addEventListener("message", (event) => {
  if (event.data === "activate") self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("nurse-") && name !== version;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});

// The app's own files come from here, with a network and without one. Patients' data never does: it goes by the API, past this.
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  const own = request.mode === "navigate" && pathname === page ? page : kept.includes(pathname) ? pathname : null;
  if (own) event.respondWith(caches.open(version).then((cache) => cache.match(own)).then((found) => found ?? fetch(request)));
});
