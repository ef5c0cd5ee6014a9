import { IconCheck, IconMinus } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Permission, PermissionGroup } from "../../api/types";

const roles = ["user", "admin", "superadmin"] as const;

/** What each role may do; sought is a part of an operation's words, in lower case. */
export function RoleTable({ groups, sought }: { groups: PermissionGroup[]; sought: string }) {
  const { t } = useTranslation();
  const found = groups
    .map(({ about, items }) => ({ about, items: items.filter((one) => one.words.toLowerCase().includes(sought)) }))
    .filter(({ items }) => items.length > 0);
  if (found.length === 0) return <p className="quiet">{t("roles.none")}</p>;
  return (
    <table className="permissions">
      <thead>
        <tr><td />{roles.map((role) => <th key={role} scope="col">{t(`role.${role}`)}</th>)}</tr>
      </thead>
      {found.map(({ about, items }) => (
        <tbody key={about}>
          <tr><th colSpan={4} scope="rowgroup">{t(`roles.about.${about}`, { defaultValue: about })}</th></tr>
          {items.map((one) => (
            <tr key={one.operation}>
              <th scope="row">{one.words}</th>
              {roles.map((role) => <td key={role}><May value={one[role]} /></td>)}
            </tr>
          ))}
        </tbody>
      ))}
    </table>
  );
}

function May({ value }: { value: Permission["user"] | Permission["superadmin"] }) {
  const { t } = useTranslation();
  const words = t(`roles.means.${value}`);
  if (value === "yes") return <IconCheck size={15} role="img" aria-label={words} />;
  if (value === "no") return <IconMinus size={15} className="quiet" role="img" aria-label={words} />;
  return <span>{words}</span>;
}
