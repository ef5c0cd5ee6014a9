import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { describeError } from "../../components/errors";

/** A part of a page with a heading. Its content is made, and so fetched, when it comes into view. */
export function Widget({ title, place, height, children }: {
  title: string;
  /** its turn where the page has one column */
  place: number;
  /** px to keep free until the content is there, so that nothing jumps */
  height: number; children: ReactNode;
}) {
  const [box, seen] = useSeen();
  return (
    <section className="widget" style={{ order: place }} aria-label={title} ref={box}>
      <header><h2>{title}</h2></header>
      <div style={{ minHeight: height }}>{seen ? children : null}</div>
    </section>
  );
}

function useSeen(): [React.RefObject<HTMLElement | null>, boolean] {
  const ref = useRef<HTMLElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null || seen) return undefined;
    const observer = new IntersectionObserver((entries) => { if (entries.some((e) => e.isIntersecting)) setSeen(true); }, { rootMargin: "120px" });
    observer.observe(element);
    return () => observer.disconnect();
  }, [seen]);
  return [ref, seen];
}

/** What a query has to show: bars while it loads, what went wrong with a button, or its data. */
export function Loaded<T>({ query, rows, children }: { query: UseQueryResult<T>; rows: number; children: (data: T) => ReactNode }) {
  const { t } = useTranslation();
  if (query.data !== undefined) return children(query.data);
  if (query.isError) {
    return (
      <div className="widget-failed" role="alert">
        <span>{describeError(query.error, t)}</span>
        <Button variant="default" onClick={() => void query.refetch()}>{t("common.retry")}</Button>
      </div>
    );
  }
  return (
    <div className="bones" role="status" aria-label={t("common.loading")}>
      {Array.from({ length: rows }, (_, n) => <span key={n} style={{ width: `${92 - ((n * 17) % 40)}%` }} />)}
    </div>
  );
}
