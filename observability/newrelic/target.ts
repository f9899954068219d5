import { serviceName } from "../contract.ts";

/** Where what is generated is to stand. In the files of this folder account 0 and prod; the push puts in its own. */
export type Target = { accountId: number; environment: string };
export const asInFiles: Target = { accountId: 0, environment: "prod" };

/** What is asked of our servers only, and of one environment. */
export const ours = ({ environment }: Target): string =>
	`service.name = '${serviceName}' AND deployment.environment.name = '${environment}'`;

/** Where a runbook is read: its path in the repository, below where an installation shows that (RUNBOOK_URL). */
export const runbookAt = (path: string, base: string): string => `${base.replace(/\/+$/, "")}/${path}`;
/** Stands in the files for that address. */
export const runbookBase = "https://runbooks.example";
