import { Button, Loader } from "@mantine/core";
import { IconAlertTriangle, IconDownload, IconFile, IconMicrophone, IconPhoto, IconRefresh, IconVideo, IconVolume } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "../../api/client";
import type { ThreadMessage } from "../../api/types";
import { toastError } from "../../components/errors";
import { addressOf, sizeOf, type StoredFile } from "./media";

export type FileKind = "image" | "video" | "audio" | "voice" | "document" | "sticker";

const icons = { image: IconPhoto, video: IconVideo, audio: IconVolume, voice: IconMicrophone, document: IconFile, sticker: IconPhoto };

/** The file of a message: shown when a browser may, saved when not, and its state while it is not here. */
export function Attachment({ message, kind, name }: { message: ThreadMessage; kind: FileKind; name: string | undefined }) {
  const { t } = useTranslation();
  const { attachment } = message;
  const Icon = icons[kind];
  const label = <span className="said-note"><Icon size={15} stroke={1.6} />{t(`inbox.kind.${kind}`)}{name !== undefined && <span className="wrap">· {name}</span>}</span>;
  if (attachment?.file != null) {
    return (
      <>
        <Shown file={attachment.file} kind={kind} name={name} />
        {attachment.state === "pending" && <div className="said-note"><Loader size={11} color="gray" />{t("inbox.handing")}</div>}
        {attachment.detail != null && <div className="said-warn"><IconAlertTriangle size={14} />{attachment.detail}</div>}
      </>
    );
  }
  if (attachment?.state === "pending") {
    return <div className="file-wait">{label}<span className="said-note"><Loader size={11} color="gray" />{attachment.detail ?? t("inbox.fetching")}</span></div>;
  }
  return (
    <div className="file-wait">
      {label}
      {attachment?.state === "failed" && <div className="said-warn"><IconAlertTriangle size={14} />{attachment.detail}</div>}
      {attachment?.state === "failed" && message.inbound && <Again message={message.id} />}
    </div>
  );
}

function Again({ message }: { message: string }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const again = useMutation({
    mutationFn: () => unwrap(api.POST("/api/v1/messages/{id}/fetch", { params: { path: { id: message } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["conversations"] }),
    onError: (error) => toastError(error, t),
  });
  return <Button size="compact-sm" variant="default" leftSection={<IconRefresh size={14} />} loading={again.isPending} onClick={() => again.mutate()}>{t("inbox.fetchAgain")}</Button>;
}

function Shown({ file, kind, name }: { file: StoredFile; kind: FileKind; name: string | undefined }) {
  const { t } = useTranslation();
  const label = t(`inbox.kind.${kind}`);
  if (file.inline && file.type.startsWith("image/") && file.width != null && file.height != null) {
    const side = kind === "sticker" ? 140 : 300; // px
    const scale = Math.min(1, side / Math.max(file.width, file.height));
    return (
      <a className="file-picture" href={addressOf(file)} target="_blank" rel="noreferrer" aria-label={t("inbox.openPicture")}>
        <img src={addressOf(file, { thumbnail: kind !== "sticker" })} alt={label} loading="lazy" width={Math.max(Math.round(file.width * scale), 24)} height={Math.max(Math.round(file.height * scale), 24)} />
      </a>
    );
  }
  if (file.inline && file.type.startsWith("video/")) return <video className="file-video" src={addressOf(file)} controls preload="metadata" aria-label={label} />;
  if (file.inline && file.type.startsWith("audio/")) {
    const Icon = icons[kind];
    return <div className="file-sound"><Icon size={16} stroke={1.6} aria-hidden /><audio src={addressOf(file)} controls preload="metadata" aria-label={label} /></div>;
  }
  const shown = name ?? label;
  return (
    <a className="file-document" href={addressOf(file, { name: name ?? "" })} download={name ?? true}>
      <IconFile size={20} stroke={1.5} /><span className="clip">{shown}</span><span className="quiet num">{sizeOf(file.size)}</span><IconDownload size={16} stroke={1.6} role="img" aria-label={t("inbox.download")} />
    </a>
  );
}
