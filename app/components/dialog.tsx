import { type ReactNode, useEffect, useId, useRef } from "react";
import { useWords } from "../words/use-words.tsx";
import { Icon } from "./icons.tsx";

/**
 * A modal dialog for as long as it is mounted. The browser's own element traps the focus; what had it before gets it
 * back, and when that is gone (its message was deleted) `returnTo` says who does.
 */
export function Dialog(props: {
	title: string;
	onClose(): void;
	children: ReactNode;
	className?: string;
	returnTo?: () => HTMLElement | null;
}) {
	const { title, onClose, children, className = "", returnTo } = props;
	const { t } = useWords();
	const dialog = useRef<HTMLDialogElement>(null);
	const heading = useRef<HTMLHeadingElement>(null);
	const latest = useRef(returnTo);
	latest.current = returnTo;
	const titleId = useId();
	useEffect(() => {
		const opener = document.activeElement as HTMLElement | null;
		const element = dialog.current;
		if (element && !element.open) element.showModal();
		(element?.querySelector<HTMLElement>("[data-first]") ?? heading.current)?.focus();
		return () => {
			element?.close();
			const target = opener?.isConnected && opener !== document.body ? opener : latest.current?.();
			target?.focus();
		};
	}, []);
	return (
		// A click beside the dialog closes it; the keyboard has Escape and the close button.
		<dialog
			ref={dialog}
			className={`dialog ${className}`}
			aria-labelledby={titleId}
			onCancel={(event) => {
				event.preventDefault();
				onClose();
			}}
			onClose={onClose}
			onPointerDown={(event) => {
				if (event.target === dialog.current) onClose();
			}}
		>
			<div className="dialog-inside">
				<header className="dialog-head">
					<h2 id={titleId} ref={heading} tabIndex={-1}>
						{title}
					</h2>
					<button type="button" className="icon-button" onClick={onClose} aria-label={t("panel.close")}>
						<Icon name="close" />
					</button>
				</header>
				{children}
			</div>
		</dialog>
	);
}
