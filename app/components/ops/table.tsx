import type { ReactNode } from "react";

/** A table that scrolls sideways by itself where it is too wide. */
export function Table({ name, heads, children }: { name: string; heads: readonly string[]; children: ReactNode }) {
	return (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, and keys have to reach it.
		<section className="ops-scroll" aria-label={name} tabIndex={0}>
			<table>
				<thead>
					<tr>
						{heads.map((head) => (
							<th key={head} scope="col">
								{head}
							</th>
						))}
					</tr>
				</thead>
				<tbody>{children}</tbody>
			</table>
		</section>
	);
}
