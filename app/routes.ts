import { index, layout, type RouteConfig, route } from "@remix-run/route-config";

/** Every URL of Charla in one place. */
export default [
	index("routes/home.tsx"),
	route("leave", "routes/leave.ts"),
	route("preferences", "routes/preferences.ts"),
	layout("routes/chat.tsx", [
		layout("routes/inside.tsx", [
			route("rooms", "routes/rooms.tsx"),
			route("rooms/new", "routes/rooms.new.tsx"),
			route("rooms/browse", "routes/rooms.browse.tsx"),
			route("rooms/:roomId", "routes/room.tsx"),
			route("people", "routes/people.tsx"),
		]),
	]),
	route("rooms/:roomId/pages/:page?", "routes/pages.tsx"),
	route("rooms/:roomId/orders", "routes/orders.tsx"),
	route("rooms/:roomId/orders.csv", "routes/orders-csv.ts"),
	route("rooms/:roomId/activity", "routes/room-activity.tsx"),
	route("rooms/:roomId/messages/:seq/:deed?", "routes/message.tsx"),
	route("owner/:token", "routes/owner.tsx"),
	route("ops/traces/:traceId/otlp.json", "routes/ops-export.ts"),
	route("ops", "routes/ops.tsx", [
		index("routes/ops-now.tsx"),
		route("messages/:messageId", "routes/ops-message.tsx"),
		route("traces", "routes/ops-traces.tsx"),
		route("traces/:traceId", "routes/ops-trace.tsx"),
		route("logs", "routes/ops-logs.tsx"),
		route("sockets", "routes/ops-sockets.tsx"),
		route("activity", "routes/ops-activity.tsx"),
		route("imports", "routes/ops-imports.tsx"),
		route("imports/:id", "routes/ops-import.tsx"),
	]),
	route("*", "routes/not-found.tsx"),
] satisfies RouteConfig;
