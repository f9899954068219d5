/** What the domain knows of the database: statements and transactions. Storage opens it, everybody else is handed it. */
export type Sql = {
	/**
	 * Runs one statement. `name` makes it a prepared statement of that connection: give one to everything on a
	 * busy path. int8 arrives as number (sequences stay below 2^53).
	 */
	query<Row>(name: string, text: string, values?: readonly unknown[]): Promise<Row[]>;
	/** Runs `work` in one transaction; a throw rolls it back. Retries on deadlock and serialization failure. */
	transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
};
