import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import type { Kept } from "./assets-bucket.ts";

type Origin = { Id: string; S3OriginConfig?: unknown };
type Behavior = { PathPattern?: string; TargetOriginId: string };
type Resource = { Type: string; Properties?: Record<string, unknown> };

/** Where CloudFront takes what from: the first pattern that fits, "*" at the end. */
export type EdgeRoutes = { pattern: string; from: "bucket" | "balancer" }[];

/** Reads the one distribution of a synthesized template. Throws where there is none, or a pattern that is not played here. */
export function readEdgeRoutes(template: { Resources: Record<string, Resource> }): EdgeRoutes {
	const found = Object.values(template.Resources).filter(({ Type }) => Type === "AWS::CloudFront::Distribution");
	if (found.length !== 1) throw new Error(`The template has ${found.length} distributions instead of one.`);
	const config = found[0]?.Properties?.DistributionConfig as {
		Origins: Origin[];
		CacheBehaviors?: Behavior[];
		DefaultCacheBehavior: Behavior;
	};
	return [...(config.CacheBehaviors ?? []), { ...config.DefaultCacheBehavior, PathPattern: "*" }].map(
		({ PathPattern = "", TargetOriginId }) => {
			if (!/^[^*?]*\*$/.test(PathPattern)) throw new Error(`The pattern ${PathPattern} is not played here.`);
			const origin = config.Origins.find(({ Id }) => Id === TargetOriginId);
			if (!origin) throw new Error(`There is no origin ${TargetOriginId}.`);
			return { pattern: PathPattern, from: origin.S3OriginConfig ? "bucket" : "balancer" };
		},
	);
}

/** CloudFront as far as pages and their assets can tell, with nothing cached: what is missing once is missed. Sockets go past it. */
export async function openEdge(given: {
	routes: EdgeRoutes;
	bucket: Map<string, Kept & { body: Buffer }>;
	balancer: string;
	host: string;
}) {
	const { routes, bucket, host } = given;
	const { hostname, port: behind } = new URL(given.balancer);
	const server = createServer((request, response) => {
		const path = (request.url ?? "/").split("?")[0] as string;
		const route = routes.find(({ pattern }) => path.startsWith(pattern.slice(0, -1)));
		if (route?.from === "bucket") {
			const found = bucket.get(path.slice(1));
			// S3 does not say what there is not to those who may not list.
			if (!found) return void response.writeHead(403, { "content-type": "application/xml" }).end();
			return void response.writeHead(200, { "content-type": found.type, "cache-control": found.cacheControl }).end(found.body);
		}
		const { method, url, headers } = request;
		const onward = send({ host: hostname, port: behind, method, path: url, headers, agent: false }, (answer) => {
			response.writeHead(answer.statusCode ?? 502, answer.headers);
			answer.pipe(response);
		});
		onward.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
		request.pipe(onward);
	});
	await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, host, resolve));
	return {
		url: `http://${host}:${(server.address() as AddressInfo).port}`,
		async close(): Promise<void> {
			server.closeAllConnections();
			await new Promise((done) => server.close(done));
		},
	};
}
