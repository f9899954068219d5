/** What a load balancer's target group says, as far as it changes how people are served. Times in s. */
export type TargetGroup = {
	port: number;
	health: { path: string; interval: number; timeout: number; healthy: number; unhealthy: number; codes: string };
	/** Who comes back to the same target: by the load balancer's own cookie everybody, by one of the application's whoever was given it. */
	stickiness: { cookie: "its own" | { name: string }; seconds: number } | null;
	deregistrationDelay: number;
};

type Resource = { Type: string; Properties?: Record<string, unknown> };

/** Reads the one target group of a synthesized template. Throws when there is none, or one that it cannot play. */
export function readTargetGroup(template: { Resources: Record<string, Resource> }): TargetGroup {
	const groups = Object.values(template.Resources).filter(({ Type }) => Type === "AWS::ElasticLoadBalancingV2::TargetGroup");
	if (groups.length !== 1) throw new Error(`The template has ${groups.length} target groups instead of one.`);
	const given = groups[0]?.Properties ?? {};
	const attributes = new Map(
		(given.TargetGroupAttributes as { Key: string; Value: string }[] | undefined)?.map(({ Key, Value }) => [Key, Value]),
	);
	const isSticky = attributes.get("stickiness.enabled") === "true";
	const kind = attributes.get("stickiness.type") ?? "lb_cookie";
	const algorithm = attributes.get("load_balancing.algorithm.type") ?? "round_robin";
	if (algorithm !== "round_robin") throw new Error(`The algorithm ${algorithm} is not played here.`);
	if (Number(attributes.get("slow_start.duration_seconds") ?? 0) > 0) throw new Error("Slow start is not played here.");
	// What CloudFormation leaves out has the service's own defaults.
	const number = (value: unknown, usual: number) => (value === undefined ? usual : Number(value));
	return {
		port: number(given.Port, 80),
		health: {
			path: String(given.HealthCheckPath ?? "/"),
			interval: number(given.HealthCheckIntervalSeconds, 30),
			timeout: number(given.HealthCheckTimeoutSeconds, 5),
			healthy: number(given.HealthyThresholdCount, 5),
			unhealthy: number(given.UnhealthyThresholdCount, 2),
			codes: String((given.Matcher as { HttpCode?: string } | undefined)?.HttpCode ?? "200"),
		},
		stickiness: isSticky
			? {
					cookie: kind === "app_cookie" ? { name: attributes.get("stickiness.app_cookie.cookie_name") ?? "" } : "its own",
					seconds: number(attributes.get(`stickiness.${kind}.duration_seconds`), 86_400),
				}
			: null,
		deregistrationDelay: number(attributes.get("deregistration_delay.timeout_seconds"), 300),
	};
}
