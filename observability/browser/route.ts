/** Every page there is, as app/routes.ts names it, the more particular first. The server takes no other. */
export const pageRoutes = [
	"/",
	"/rooms",
	"/rooms/new",
	"/rooms/browse",
	"/rooms/:roomId",
	"/rooms/:roomId/pages/:page?",
	"/rooms/:roomId/messages/:seq/:deed?",
	"/rooms/:roomId/orders",
	"/rooms/:roomId/activity",
	"/people",
	"/owner/:token",
	"/ops",
	"/ops/messages/:messageId",
	"/ops/traces",
	"/ops/traces/:traceId",
	"/ops/logs",
	"/ops/sockets",
	"/ops/activity",
	"/ops/imports",
	"/ops/imports/:id",
	/** What leads nowhere. */
	"/*",
] as const;

/** The pattern of a path: addresses name rooms and people, patterns do not. */
export function routeOf(path: string): (typeof pageRoutes)[number] {
	const matches = (route: string) => {
		const shape = route.replace(/\/:\w+\?/g, "(/[^/]+)?").replace(/:\w+/g, "[^/]+");
		return new RegExp(`^${shape}/?$`).test(path);
	};
	return pageRoutes.find(matches) ?? "/*";
}
