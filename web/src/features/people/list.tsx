import { ActionIcon, Button, Group, Menu, Modal, Text } from "@mantine/core";
import { IconDots, IconMail, IconUser } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Invitation, Person } from "../../api/types";
import { toastDone, toastError } from "../../components/errors";
import { Time } from "../../components/small";
import { changePerson, inviteAgain, removePerson, revokeInvitation } from "./queries";

/** A change of people: what it did is said, and the lists are fetched again either way. */
function usePeopleMutation<T>(mutationFn: (of: T) => Promise<unknown>, done: string) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () => toastDone(done),
    onError: (error) => toastError(error, t),
    onSettled: () => queries.invalidateQueries({ queryKey: ["people"] }),
  });
}

/** departments: those that the person is in, by name */
export function PersonRow({ person, departments }: { person: Person; departments: string[] }) {
  const { t } = useTranslation();
  const [removing, setRemoving] = useState(false);
  const change = usePeopleMutation(changePerson, t("people.changed", { name: person.name }));
  const remove = usePeopleMutation(removePerson, t("people.removed", { name: person.name }));
  const disabled = person.state === "disabled";
  const other = person.role === "admin" ? "user" : "admin";
  return (
    <li>
      <IconUser size={18} stroke={1.6} aria-hidden="true" />
      <div className="what">
        <div>
          {person.name}
          {person.you && <span className="badge calm" style={{ marginLeft: 8 }}>{t("people.you")}</span>}
          {person.state !== "active" && <span className={disabled ? "badge" : "badge calm"} style={{ marginLeft: 8 }}>{t(`people.state.${person.state}`)}</span>}
        </div>
        {departments.length > 0 && <div>{departments.map((name) => <span key={name} className="tag">{name}</span>)}</div>}
        <div className="quiet">{person.email}{person.last_seen_at != null && <> · {t("people.lastSeen")} <Time at={person.last_seen_at} /></>}</div>
      </div>
      <span className="quiet">{t(`role.${person.role}`)}</span>
      <Menu position="bottom-end" width={220}>
        <Menu.Target><ActionIcon aria-label={t("people.menu", { name: person.name })} loading={change.isPending || remove.isPending}><IconDots size={16} /></ActionIcon></Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => change.mutate({ id: person.id, role: other })}>{t(`people.make.${other}`)}</Menu.Item>
          <Menu.Item onClick={() => change.mutate({ id: person.id, disabled: !disabled })}>{t(disabled ? "people.enable" : "people.disable")}</Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" onClick={() => setRemoving(true)}>{t("people.remove")}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={removing} onClose={() => setRemoving(false)} title={<Text fw={600}>{t("people.removeTitle", { name: person.name })}</Text>} size="sm">
        <Text>{t("people.removeAsk")}</Text>
        <Group justify="flex-end" mt="lg" gap="xs">
          <Button variant="default" data-autofocus onClick={() => setRemoving(false)}>{t("people.stay")}</Button>
          <Button color="red.9" onClick={() => { setRemoving(false); remove.mutate(person.id); }}>{t("people.remove")}</Button>
        </Group>
      </Modal>
    </li>
  );
}

export function InvitationRow({ invitation }: { invitation: Invitation }) {
  const { t } = useTranslation();
  const again = usePeopleMutation(inviteAgain, t("people.invited", { email: invitation.email }));
  const revoke = usePeopleMutation(revokeInvitation, t("people.revoked"));
  return (
    <li>
      <IconMail size={18} stroke={1.6} aria-hidden="true" />
      <div className="what">
        <div>{invitation.email}{invitation.expired && <span className="badge" style={{ marginLeft: 8 }}>{t("people.expired")}</span>}</div>
        <div className="quiet">
          {invitation.by === undefined ? t("people.invitedAt") : t("people.invitedBy", { name: invitation.by })} <Time at={invitation.at} />
          {!invitation.expired && <> · {t("people.until")} <Time at={invitation.until} /></>}
        </div>
      </div>
      <span className="quiet">{t(`role.${invitation.role}`)}</span>
      <Menu position="bottom-end" width={200}>
        <Menu.Target><ActionIcon aria-label={t("people.menu", { name: invitation.email })} loading={again.isPending || revoke.isPending}><IconDots size={16} /></ActionIcon></Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => again.mutate(invitation.id)}>{t("people.again")}</Menu.Item>
          <Menu.Item color="red" onClick={() => revoke.mutate(invitation.id)}>{t("people.revoke")}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </li>
  );
}
