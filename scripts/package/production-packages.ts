type Locked = { dev?: boolean; optional?: boolean; devOptional?: boolean };

/**
 * Folders of the packages the server needs, by package-lock.json: what `npm ci --omit=dev --omit=optional` would install, taken from what
 * was tested instead of installed again. Optional ones are the Nodes, the embedded PostgreSQL and native modules.
 */
export function packagesInProduction(lock: string): string[] {
	const { packages } = JSON.parse(lock) as { packages: Record<string, Locked> };
	return Object.entries(packages)
		.filter(([folder, { dev, optional, devOptional }]) => folder.startsWith("node_modules/") && !dev && !optional && !devOptional)
		.map(([folder]) => folder)
		.sort();
}
