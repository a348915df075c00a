// Shows notices that arrive while no page is open; a click opens the case.
self.addEventListener("push", (event) => {
  const notice = event.data ? event.data.json() : {};
  event.waitUntil(self.registration.showNotification(notice.title || notice.subject || "Shoufu", { body: notice.body || "", data: notice.url || "/" }));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data || "/"));
});
