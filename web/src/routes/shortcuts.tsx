import { Kbd, Modal, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

/** What follows g to go to a place. */
export const goKeys = { dashboard: "d", inbox: "i", campaigns: "c", contacts: "p", templates: "t", connections: "n", health: "h", settings: "s" } as const;

interface Props {
  /** where this person may go */
  places: (keyof typeof goKeys)[];
  /** they may change something */
  changes: boolean;
  opened: boolean;
  onClose: () => void;
}

/** All keys that do something, for "?". */
export function Shortcuts({ places, changes, opened, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>{t("keys.title")}</Text>} size={520}>
      <div className="keys">
        <Keys title={t("keys.go")}>
          {places.map((place) => <Row key={place} keys={["g", goKeys[place]]} then={t("keys.then")}>{t(`nav.${place}`)}</Row>)}
        </Keys>
        <div>
          <Keys title={t("keys.do")}>{(["c", "/", "e", "?"] as const).filter((key) => changes || (key !== "c" && key !== "e")).map((key) => <Row key={key} keys={[key]}>{t(`keys.what.${key}`)}</Row>)}</Keys>
          <Keys title={t("keys.lists")}>{(["j k", "Enter", "x"] as const).map((key) => <Row key={key} keys={key.split(" ")}>{t(`keys.what.${key}`)}</Row>)}</Keys>
        </div>
      </div>
      <p className="quiet" style={{ margin: "14px 0 0" }}>{t("keys.hint")}</p>
    </Modal>
  );
}

function Keys({ title, children }: { title: string; children: ReactNode }) {
  return <section><h2>{title}</h2><dl>{children}</dl></section>;
}

function Row({ keys, then, children }: { keys: readonly string[]; then?: string; children: ReactNode }) {
  return (
    <div>
      <dt>{children}</dt>
      <dd>{keys.map((key, n) => <span key={key}>{n > 0 && then !== undefined && <span className="quiet"> {then} </span>}<Kbd size="xs">{key}</Kbd></span>)}</dd>
    </div>
  );
}
