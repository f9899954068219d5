/** Who listens where. */
export const ports = { http: 80, https: 443, chat: 3000, postgres: 5432, valkey: 6379 } as const;
