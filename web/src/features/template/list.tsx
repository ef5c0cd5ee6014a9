import { useTranslation } from "react-i18next";
import { type Column, VirtualList } from "../../components/virtual-list";
import { canSend, type TemplateGroup } from "./group";
import { Quality, TemplateDot, words } from "./label";

const nothing = () => undefined;
const rank = ["RED", "YELLOW", "GREEN"];

/** Of several languages the worst quality counts: it is the one to act on. */
const worst = (group: TemplateGroup) => rank.find((quality) => group.languages.some((one) => one.quality === quality)) ?? "UNKNOWN";

interface Props {
  groups: TemplateGroup[];
  selected: string | undefined;
  /** names of connections by id; given when there are several */
  connections: Map<string, string> | null;
  onOpen: (group: TemplateGroup) => void;
}

export function TemplateList({ groups, selected, connections, onOpen }: Props) {
  const { t } = useTranslation();
  const columns: Column<TemplateGroup>[] = [
    { key: "name", header: t("template.name"), width: "minmax(0, 1.5fr)", cell: (g) => <Name group={g} connection={connections === null ? undefined : g.connection_ids.map((id) => connections.get(id)).join(", ")} /> },
    { key: "category", header: t("template.category"), width: "104px", wide: true, cell: (g) => <span className="quiet">{words(g.category)}</span> },
    { key: "languages", header: t("template.languages"), width: "minmax(0, 1.6fr)", cell: (g) => <Languages group={g} /> },
    { key: "quality", header: t("template.qualityHead"), width: "92px", wide: true, cell: (g) => <Quality quality={worst(g)} /> },
    { key: "says", header: t("template.says"), width: "minmax(0, 1.8fr)", wide: true, cell: (g) => <Says group={g} /> },
  ];
  return (
    <VirtualList
      label={t("template.title")} items={groups} columns={columns} keyOf={(g) => g.key} onOpen={onOpen} isActive={(g) => g.key === selected}
      rowHeight={46} hasMore={false} loadingMore={false} loadMore={nothing}
    />
  );
}

function Name({ group, connection }: { group: TemplateGroup; connection: string | undefined }) {
  return (
    <>
      <div className="clip" style={{ fontWeight: 500 }}>{group.name}</div>
      {connection !== undefined && <div className="clip quiet" style={{ fontSize: 12 }}>{connection}</div>}
    </>
  );
}

function Says({ group }: { group: TemplateGroup }) {
  const { t } = useTranslation();
  const unfit = group.languages.filter((one) => !canSend(one));
  const ready = group.languages.length - unfit.length;
  if (unfit.length === 0) return <span className="quiet">{t("template.ready")}</span>;
  const why = unfit.map((one) => `${one.language}: ${one.unfit}`).join("\n");
  return <div className="clip quiet" title={why}>{ready === 0 ? unfit[0]?.unfit : t("template.someReady", { ready, count: group.languages.length })}</div>;
}

function Languages({ group }: { group: TemplateGroup }) {
  return (
    <div className="clip">
      {group.languages.map((one) => (
        <span key={one.language} className="state" style={{ marginRight: 10, gap: 5, width: "auto" }} title={one.unfit === "" ? words(one.status) : one.unfit}>
          <TemplateDot template={one} />{one.language}
        </span>
      ))}
    </div>
  );
}
