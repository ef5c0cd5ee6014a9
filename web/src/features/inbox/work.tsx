import { ActionIcon, Menu } from "@mantine/core";
import { IconClock, IconDots, IconTag, IconUser } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Choices, Conversation } from "../../api/types";
import { toastError } from "../../components/errors";
import { useKeys } from "../../components/small";
import { formatInstant } from "../../lib/format";
import { meQuery } from "../account/queries";
import { useRunsCompany } from "../account/role";
import { ColourDot, PriorityMark } from "./marks";
import { type Change, change, choicesQuery } from "./queries";
import { wakeTimes } from "./view";

/** What an agent does with a conversation besides answering. */
export function Work({ conversation, refresh }: { conversation: Conversation; refresh: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const me = useQuery(meQuery).data?.user.id;
  const choices = useQuery(choicesQuery).data;
  const work = useMutation({
    mutationFn: (wanted: Change) => change(conversation.id, conversation.version, wanted),
    onSuccess: (now) => queries.setQueryData(["conversations", "one", now.id], now),
    onError: (error) => toastError(error, t),
    onSettled: refresh,
  });
  const { mutate } = work;
  useKeys({ a: () => { if (me !== undefined) mutate({ what: "assignee", person_id: me }); } });
  if (choices === undefined) return null;
  return (
    <div className="work">
      <Assign conversation={conversation} choices={choices} me={me} onChange={mutate} />
      <Labels conversation={conversation} choices={choices} onChange={mutate} />
      {conversation.state !== "closed" && <Snooze onChange={mutate} />}
      <More conversation={conversation} choices={choices} onChange={mutate} />
    </div>
  );
}

interface Part {
  conversation: Conversation;
  choices: Choices;
  onChange: (wanted: Change) => void;
}

function Target({ label, children }: { label: string; children: ReactNode }) {
  return <Menu.Target><ActionIcon size={30} variant="default" aria-label={label} title={label}>{children}</ActionIcon></Menu.Target>;
}

function Assign({ conversation, choices, me, onChange }: Part & { me: string | undefined }) {
  const { t } = useTranslation();
  const of = conversation.department_id;
  const people = choices.people.filter((one) => one.everything || of === undefined || one.department_ids.includes(of));
  const sorted = [...people.filter((one) => one.id === me), ...people.filter((one) => one.id !== me)];
  const label = conversation.assignee_name === undefined ? t("inbox.assign") : t("inbox.assignedTo", { name: conversation.assignee_name });
  return (
    <Menu position="bottom-end" width={220}>
      <Target label={label}><IconUser size={16} fill={conversation.assignee_id === undefined ? "none" : "currentColor"} /></Target>
      <Menu.Dropdown className="tall">
        {sorted.map((one) => (
          <Menu.Item key={one.id} disabled={one.id === conversation.assignee_id} onClick={() => onChange({ what: "assignee", person_id: one.id })}>{one.name}{one.id === me && <span className="quiet"> {t("inbox.me")}</span>}</Menu.Item>
        ))}
        {conversation.assignee_id !== undefined && <><Menu.Divider /><Menu.Item onClick={() => onChange({ what: "assignee", person_id: null })}>{t("inbox.toNobody")}</Menu.Item></>}
      </Menu.Dropdown>
    </Menu>
  );
}

function Labels({ conversation, choices, onChange }: Part) {
  const { t } = useTranslation();
  const runs = useRunsCompany();
  const has = conversation.label_ids;
  return (
    <Menu position="bottom-end" width={220} closeOnItemClick={false}>
      <Target label={t("inbox.labels")}><IconTag size={16} /></Target>
      <Menu.Dropdown className="tall">
        {choices.labels.length === 0 && <Menu.Label>{t("inbox.noLabels")}</Menu.Label>}
        {choices.labels.map((label) => {
          const on = has.includes(label.id);
          return (
            <Menu.Item key={label.id} role="menuitemcheckbox" aria-checked={on} leftSection={<ColourDot label={label} />} rightSection={on ? "✓" : undefined}
              onClick={() => onChange({ what: "labels", label_ids: on ? has.filter((one) => one !== label.id) : [...has, label.id] })}>{label.name}</Menu.Item>
          );
        })}
        {runs && <><Menu.Divider /><Menu.Item component={Link} to="/settings/labels">{t("inbox.editLabels")}</Menu.Item></>}
      </Menu.Dropdown>
    </Menu>
  );
}

function Snooze({ onChange }: Pick<Part, "onChange">) {
  const { t } = useTranslation();
  const now = new Date();
  return (
    <Menu position="bottom-end" width={270}>
      <Target label={t("inbox.snooze")}><IconClock size={16} /></Target>
      <Menu.Dropdown>
        <Menu.Label>{t("inbox.snoozeHint")}</Menu.Label>
        {wakeTimes(now).map(({ key, at }) => (
          <Menu.Item key={key} rightSection={<span className="quiet num">{formatInstant(at.toISOString(), now)}</span>} onClick={() => onChange({ what: "snooze", until: at.toISOString() })}>{t(`inbox.wake.${key}`)}</Menu.Item>
        ))}
        <Menu.Item onClick={() => onChange({ what: "snooze" })}>{t("inbox.wake.answer")}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

const priorities = ["urgent", "high", "low", "none"] as const;

function More({ conversation, choices, onChange }: Part) {
  const { t } = useTranslation();
  return (
    <Menu position="bottom-end" width={220}>
      <Target label={t("inbox.more")}><IconDots size={16} /></Target>
      <Menu.Dropdown className="tall">
        <Menu.Label>{t("inbox.priorityTitle")}</Menu.Label>
        {priorities.map((one) => (
          <Menu.Item key={one} disabled={one === conversation.priority} leftSection={<span className="mark-place"><PriorityMark priority={one} /></span>} onClick={() => onChange({ what: "priority", priority: one })}>{t(`inbox.priority.${one}`)}</Menu.Item>
        ))}
        {choices.departments.length > 0 && <Menu.Label>{t("inbox.moveTo")}</Menu.Label>}
        {choices.departments.map((one) => (
          <Menu.Item key={one.id} disabled={one.id === conversation.department_id} onClick={() => onChange({ what: "department", department_id: one.id })}>{one.name}</Menu.Item>
        ))}
        {choices.departments.length > 0 && <Menu.Item onClick={() => onChange({ what: "department", department_id: null })}>{t("inbox.ofConnection")}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  );
}
