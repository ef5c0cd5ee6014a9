// Doing it once more: a copy, or a campaign for those whose message failed.
import { Button, Checkbox, Group, Modal, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Campaign, Failure } from "../../api/types";
import { toastDone, toastError } from "../../components/errors";
import { Failed, Waiting } from "../../components/page";
import { formatCount } from "../../lib/format";
import { duplicateCampaign, failuresQuery, resendCampaign } from "./queries";

/** Makes the copy and opens it for editing. */
export function useDuplicate(campaign: Campaign) {
  const { t } = useTranslation();
  const open = useOpenDraft();
  return useMutation({
    mutationFn: () => duplicateCampaign(campaign.id),
    onSuccess: async (made) => { await open(made); toastDone(t("again.duplicated")); },
    onError: (error) => toastError(error, t),
  });
}

function useOpenDraft() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return async (made: Campaign) => {
    await queries.invalidateQueries({ queryKey: ["campaigns", "list"] });
    await navigate({ to: "/campaigns/$id/edit", params: { id: made.id } });
  };
}

/** Asks whom of the failed ones a new campaign is for, and says how many that are. */
export function AgainModal({ campaign, opened, onClose }: { campaign: Campaign; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const failures = useQuery({ ...failuresQuery(campaign.id, campaign.counts.failed), enabled: opened });
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>{t("again.title")}</Text>} size="lg">
      {failures.isError && <Failed error={failures.error} retry={() => void failures.refetch()} />}
      {failures.isPending && <Waiting />}
      {failures.data !== undefined && <Choose campaign={campaign} failures={failures.data.items} onClose={onClose} />}
    </Modal>
  );
}

function Choose({ campaign, failures, onClose }: { campaign: Campaign; failures: Failure[]; onClose: () => void }) {
  const { t } = useTranslation();
  const open = useOpenDraft();
  const worth = failures.filter((f) => f.again);
  const [codes, setCodes] = useState<number[]>((worth.length > 0 ? worth : failures).map((f) => f.code));
  const n = failures.filter((f) => codes.includes(f.code)).reduce((sum, f) => sum + f.count, 0);
  const make = useMutation({
    mutationFn: () => resendCampaign(campaign.id, codes.length === failures.length ? [] : codes),
    onSuccess: async (made) => { onClose(); await open(made); },
    onError: (error) => toastError(error, t),
  });
  return (
    <>
      <Text mb="sm">{t("again.why")}</Text>
      <div className="again">
        {failures.map((f) => (
          <Checkbox
            key={f.code}
            checked={codes.includes(f.code)}
            onChange={(event) => setCodes(event.currentTarget.checked ? [...codes, f.code] : codes.filter((code) => code !== f.code))}
            label={<><b className="num">{formatCount(f.count)}</b> {f.meaning} <span className="quiet">{f.code === 0 ? "" : f.code}</span>{f.again && <span className="badge calm" style={{ marginLeft: 6 }}>{t("results.mayWork")}</span>}</>}
            description={f.remedy}
          />
        ))}
      </div>
      <Text className="quiet" mt="sm" fz={12.5}>{t("again.uncertain")}</Text>
      <Group justify="flex-end" mt="lg" gap="xs">
        <Text className="num" role="status" mr="auto">{t("again.count", { count: n, n: formatCount(n) })}</Text>
        <Button variant="default" onClick={onClose}>{t("again.leave")}</Button>
        <Button disabled={n === 0} loading={make.isPending} onClick={() => make.mutate()}>{t("again.make")}</Button>
      </Group>
    </>
  );
}
