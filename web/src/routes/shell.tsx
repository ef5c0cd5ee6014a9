import { Kbd, Menu, Text, Tooltip, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import {
  IconAddressBook, IconBell, IconBuilding, IconChevronDown, IconDeviceMobileMessage, IconDots, IconHeartbeat, IconInbox, IconKey, IconKeyboard, IconLayoutDashboard, IconLogout, IconPlugConnected, IconPlugConnectedX, IconSend, IconSettings, IconTemplate, IconUser,
} from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { startRealtime, useSocketState } from "../api/realtime";
import type { Me } from "../api/types";
import { useKeys } from "../components/small";
import { companiesQuery } from "../features/account/queries";
import { isForUsers, runsCompany } from "../features/account/role";
import { WaitingBadge } from "../features/inbox/unread";
import { DemoBadge } from "../features/demo/remove";
import { Bell, UnreadBadge, useUnread } from "../features/notice/bell";
import { ResumeSetup } from "../features/settings/resume";
import { useEnter } from "./enter";
import { useLeave } from "./leave";
import { goKeys, Shortcuts } from "./shortcuts";

const route = getRouteApi("/signed-in/shell");

const places = [
  { to: "/", icon: IconLayoutDashboard, key: "dashboard", bar: true },
  { to: "/inbox", icon: IconInbox, key: "inbox", bar: true },
  { to: "/campaigns", icon: IconSend, key: "campaigns", bar: true },
  { to: "/contacts", icon: IconAddressBook, key: "contacts", bar: true },
  { to: "/templates", icon: IconTemplate, IconUser, key: "templates", bar: false },
  { to: "/connections", icon: IconPlugConnected, key: "connections", bar: false },
  { to: "/health", icon: IconHeartbeat, key: "health", bar: false },
  { to: "/settings", icon: IconSettings, key: "settings", bar: false },
] as const;

/** The few that a user has all stand in the bar. */
const ofUsers = places.filter((place) => isForUsers(place.to)).map((place) => ({ ...place, bar: true }));

/** Outside of a company there is only what belongs to the platform. */
const placesFor = (me: Me) => (runsCompany(me) ? places : ofUsers).filter((place) => me.company != null || (place.key === "health" && me.user.role === "superadmin"));

/** Whether there is a bell for somebody where they are. */
const hears = (me: Me) => me.company != null;

/** What stands around every page: the rail (a bottom bar on phones), the company, the account. */
export function Shell() {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const company = me.company?.id;
  const onWelcome = useRouterState({ select: (state) => state.location.pathname === "/welcome" });

  useEffect(() => (company === undefined ? undefined : startRealtime(queries)), [queries, company]);
  const [helping, help] = useState(false);
  useKeys({
    ...Object.fromEntries(placesFor(me).map(({ to, key }) => [`g ${goKeys[key]}`, () => void navigate({ to })])),
    "?": () => help(true),
    c: () => { if (company !== undefined && runsCompany(me)) void navigate({ to: "/campaigns/new" }); },
  });

  return (
    <>
      <a className="skip" href="#main">{t("nav.skip")}</a>
      <nav className="rail" aria-label={t("nav.label")}>
        <CompanyMenu me={me} />
        {hears(me) && <Bell />}
        {placesFor(me).map(({ to, icon: Icon, key }) => (
          <Link key={to} to={to} className="nav" activeOptions={{ exact: to === "/", includeSearch: false }} activeProps={{ className: "nav active", "aria-current": "page" }}>
            <Icon size={16} stroke={1.7} />{t(`nav.${key}`)}{key === "inbox" && <WaitingBadge />}
          </Link>
        ))}
        <span className="spacer" />
        <SocketHint />
        <DemoBadge me={me} className="nav demo" />
        <SandboxLink me={me} />
        <AccountMenu me={me} onHelp={() => help(true)} />
      </nav>
      <main id="main" className="main" tabIndex={-1} style={{ outline: "none" }}>
        {me.company != null && runsCompany(me) && me.company.setup !== "done" && !onWelcome && <ResumeSetup />}
        <Outlet />
      </main>
      <nav className="bar" aria-label={t("nav.label")}>
        {company !== undefined && placesFor(me).filter((place) => place.bar).map(({ to, icon: Icon, key }) => (
          <Link key={to} to={to} activeOptions={{ exact: to === "/", includeSearch: false }} activeProps={{ className: "active", "aria-current": "page" }}>
            <Icon size={20} stroke={1.6} />{t(`nav.${key}`)}
          </Link>
        ))}
        <MoreMenu me={me} />
      </nav>
      <Shortcuts places={placesFor(me).map((place) => place.key)} changes={runsCompany(me)} opened={helping} onClose={() => help(false)} />
    </>
  );
}

function CompanyMenu({ me }: { me: Me }) {
  const { t } = useTranslation();
  const label = (
    <>
      <img src="/icon.svg" width={20} height={20} alt="" />
      <Text component="span" fw={600} fz={13} className="clip">{me.company?.name ?? "OmniDesk"}</Text>
      {me.company?.demo === true && me.user.role !== "superadmin" && <span className="badge calm">{t("company.demo")}</span>}
    </>
  );
  if (me.user.role !== "superadmin") return <div className="nav" style={{ color: "inherit", height: 34, marginBottom: 6 }}>{label}</div>;
  return (
    <Menu position="bottom-start" width={230}>
      <Menu.Target>
        <UnstyledButton className="nav" style={{ height: 34, marginBottom: 6, color: "inherit" }} aria-label={t("company.switchFrom", { name: me.company?.name ?? "OmniDesk" })}>
          {label}<span className="spacer" /><IconChevronDown size={14} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown><CompanyItems me={me} /></Menu.Dropdown>
    </Menu>
  );
}

function CompanyItems({ me }: { me: Me }) {
  const { t } = useTranslation();
  const companies = useQuery(companiesQuery);
  const enter = useEnter();
  return (
    <>
      <Menu.Label>{t("company.switch")}</Menu.Label>
      {companies.data?.items.slice(0, 8).map((c) => (
        <Menu.Item key={c.id} leftSection={<IconBuilding size={15} />} fw={c.id === me.company?.id ? 600 : 400} onClick={() => enter.mutate(c.id)}>{c.name}</Menu.Item>
      ))}
      <Menu.Item component={Link} to="/companies">{t("company.all")}</Menu.Item>
      <Menu.Item component={Link} to="/platform">{t("company.platform")}</Menu.Item>
      {me.company != null && <Menu.Item onClick={() => enter.mutate(null)}>{t("company.leave")}</Menu.Item>}
    </>
  );
}

/** Says that live updates are gone, but only once that lasts: a reconnect within 1.5 s is nobody's concern. */
function SocketHint() {
  const { t } = useTranslation();
  const down = useSocketState() === "down";
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(down), down ? 1_500 : 0);
    return () => clearTimeout(timer);
  }, [down]);
  if (!down || !late) return <span role="status" />;
  return (
    <Tooltip label={t("realtime.hint")} multiline w={220}>
      <div className="nav" role="status" style={{ color: "var(--warn)" }}>
        <IconPlugConnectedX size={16} stroke={1.7} />{t("realtime.down")}
      </div>
    </Tooltip>
  );
}

function sandboxUrl(me: Me): string {
  return me.build.sandbox_url ?? `${window.location.protocol}//${window.location.hostname}:8090`;
}

function SandboxLink({ me }: { me: Me }) {
  const { t } = useTranslation();
  if (!me.build.sandbox) return null;
  return (
    <Tooltip label={t("sandbox.hint")} multiline w={220}>
      <a className="nav" href={sandboxUrl(me)} target="_blank" rel="noreferrer">
        <IconDeviceMobileMessage size={16} stroke={1.7} />{t("sandbox.phones")}<span className="badge">{t("sandbox.badge")}</span>
      </a>
    </Tooltip>
  );
}

function SchemeSwitch() {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <div className="scheme" role="group" aria-label={t("scheme.label")}>
      {(["light", "dark", "auto"] as const).map((scheme) => (
        <Menu.RadioItem key={scheme} value={scheme} checked={colorScheme === scheme} onChange={() => setColorScheme(scheme)}>{t(`scheme.${scheme}`)}</Menu.RadioItem>
      ))}
    </div>
  );
}

function AccountItems({ me, children }: { me: Me; children?: ReactNode }) {
  const { t } = useTranslation();
  const leave = useLeave();
  return (
    <>
      <Menu.Label>{me.user.email}</Menu.Label>
      <SchemeSwitch />
      <Menu.Divider />
      <Menu.Item leftSection={<IconUser size={15} />} component={Link} to="/settings/you">{t("you.title")}</Menu.Item>
      <Menu.Item leftSection={<IconKey size={15} />} component={Link} to="/password">{t("account.changeTitle")}</Menu.Item>
      {children}
      <Menu.Item leftSection={<IconLogout size={15} />} onClick={leave}>{t("account.logout")}</Menu.Item>
      <Menu.Divider />
      <Menu.Label>OmniDesk {me.build.version}</Menu.Label>
    </>
  );
}

function AccountMenu({ me, onHelp }: { me: Me; onHelp: () => void }) {
  const { t } = useTranslation();
  return (
    <Menu position="top-start" width={230}>
      <Menu.Target>
        <UnstyledButton className="nav" aria-label={t("account.menu", { name: me.user.name })}>
          <span className="clip" style={{ flex: 1 }}>{me.user.name}</span><IconDots size={16} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <AccountItems me={me}>
          <Menu.Item leftSection={<IconKeyboard size={15} />} rightSection={<Kbd size="xs">?</Kbd>} onClick={onHelp}>{t("keys.title")}</Menu.Item>
        </AccountItems>
      </Menu.Dropdown>
    </Menu>
  );
}

function MoreMenu({ me }: { me: Me }) {
  const { t } = useTranslation();
  const down = useSocketState() === "down";
  const unread = useUnread(hears(me));
  return (
    <Menu position="top-end" width={250}>
      <Menu.Target>
        <button type="button" style={down ? { color: "var(--warn)" } : undefined}>
          {down ? <IconPlugConnectedX size={20} stroke={1.6} /> : <IconDots size={20} stroke={1.6} />}
          {down ? t("realtime.down") : t("nav.more")}
          {unread > 0 && <span className="more-badge"><UnreadBadge count={unread} /></span>}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {me.company != null && <Menu.Label>{me.company.name}</Menu.Label>}
        {hears(me) && <Menu.Item component={Link} to="/notifications" leftSection={<IconBell size={15} />} rightSection={<UnreadBadge count={unread} />}>{t("notices.title")}</Menu.Item>}
        {placesFor(me).filter((place) => !place.bar).map(({ to, icon: Icon, key }) => (
          <Menu.Item key={to} component={Link} to={to} leftSection={<Icon size={15} />}>{t(`nav.${key}`)}</Menu.Item>
        ))}
        {me.build.sandbox && (
          <Menu.Item component="a" href={sandboxUrl(me)} target="_blank" rel="noreferrer" leftSection={<IconDeviceMobileMessage size={15} />} rightSection={<span className="badge">{t("sandbox.badge")}</span>}>
            {t("sandbox.phones")}
          </Menu.Item>
        )}
        {me.user.role === "superadmin" && <><CompanyItems me={me} /><Menu.Divider /></>}
        <AccountItems me={me} />
      </Menu.Dropdown>
    </Menu>
  );
}
