import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Failed, PageHead, Waiting } from "../components/page";
import { loginOptionsQuery } from "../features/account/queries";
import { Invite } from "../features/people/invite";
import { InvitationRow, PersonRow } from "../features/people/list";
import { departmentsQuery, invitationsQuery, peopleQuery } from "../features/people/queries";
import { SettingsTabs } from "../features/settings/tabs";

const route = getRouteApi("/signed-in/shell");

export default function PeoplePage() {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const people = useQuery(peopleQuery);
  const invitations = useQuery(invitationsQuery);
  const departments = useQuery(departmentsQuery).data?.items ?? [];
  const noMail = useQuery(loginOptionsQuery).data?.mail === false;
  const waiting = invitations.data?.items ?? [];
  const failed = people.error ?? invitations.error;
  return (
    <>
      <PageHead title={t("people.title")} beside={people.isSuccess && <span className="num quiet">{people.data.length}</span>}>{!noMail && <Invite />}</PageHead>
      <SettingsTabs me={me} />
      {people.isPending && !people.isError && <Waiting />}
      {failed !== null && <Failed error={failed} retry={() => { void people.refetch(); void invitations.refetch(); }} />}
      {people.isSuccess && (
        <div className="page narrow">
          {noMail && <p className="quiet">{t("people.noMail")}</p>}
          {waiting.length > 0 && (
            <section className="section" aria-labelledby="invitations">
              <h2 id="invitations">{t("people.waiting")}</h2>
              <ul className="rows">{waiting.map((one) => <InvitationRow key={one.id} invitation={one} />)}</ul>
            </section>
          )}
          <section className="section" aria-labelledby="people">
            <h2 id="people">{t("people.in", { company: me.company?.name ?? "" })}</h2>
            <ul className="rows">{people.data.map((one) => <PersonRow key={one.id} person={one} departments={departments.filter((d) => d.person_ids.includes(one.id)).map((d) => d.name)} />)}</ul>
          </section>
        </div>
      )}
    </>
  );
}
