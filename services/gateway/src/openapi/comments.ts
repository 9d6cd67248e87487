import type {
  DescEnum,
  DescField,
  DescFile,
  DescMessage,
  DescMethod,
  DescService,
  FileRegistry,
} from "@bufbuild/protobuf";

type Commented = DescService | DescMethod | DescMessage | DescField | DescEnum;

/** The comment above a declaration, in one piece; "" for none. */
export type Comments = (desc: Commented) => string;

/** Reads the comments that descriptors carry when they were built with source info, which buf does by default. */
export function readComments(registry: FileRegistry): Comments {
  const comments = new Map<Commented, string>();
  for (const file of registry.files) {
    const byPath = leadingComments(file);
    const note = (desc: Commented, path: string): void => {
      const comment = byPath.get(path);
      if (comment !== undefined) comments.set(desc, comment);
    };
    // The numbers are those of the fields of FileDescriptorProto and of what is in it.
    for (const [i, service] of file.services.entries()) {
      note(service, `6,${i}`);
      for (const [j, method] of service.methods.entries()) note(method, `6,${i},2,${j}`);
    }
    const visit = (message: DescMessage, path: string): void => {
      note(message, path);
      for (const [i, field] of message.fields.entries()) note(field, `${path},2,${i}`);
      for (const [i, nested] of message.nestedMessages.entries()) visit(nested, `${path},3,${i}`);
      for (const [i, nested] of message.nestedEnums.entries()) note(nested, `${path},4,${i}`);
    };
    for (const [i, message] of file.messages.entries()) visit(message, `4,${i}`);
    for (const [i, each] of file.enums.entries()) note(each, `5,${i}`);
  }
  return (desc) => comments.get(desc) ?? "";
}

function leadingComments({ proto }: DescFile): ReadonlyMap<string, string> {
  return new Map(
    (proto.sourceCodeInfo?.location ?? []).flatMap(({ path, leadingComments: text }) =>
      text === "" ? [] : [[path.join(","), text.replaceAll(/^ /gm, "").trim()]],
    ),
  );
}
