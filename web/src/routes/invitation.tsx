import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { InvitationForm } from "../features/account/invitation";
import { meQuery } from "../features/account/queries";
import { useSigned } from "./signed";

export default function InvitationPage() {
  const me = useQuery(meQuery).data ?? null;
  const signed = useSigned();
  useDocumentTitle("OmniDesk");
  return <main className="bare"><InvitationForm me={me} onDone={signed} /></main>;
}
