import { toBinary, type DescFile, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import {
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponseSchema,
} from "@chirrup/proto/grpc/reflection/v1/reflection";

import { serviceOf, type ServiceDefinition } from "./service.ts";
import { Status } from "./status.ts";

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;

/**
 * `grpc.reflection.v1.ServerReflection` for `services`, itself among them: what tools such as grpcurl need to call a
 * server without its protos (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md).
 */
export function reflectionOf(services: readonly ServiceDefinition[]): ServiceDefinition {
  const names = [...services.map(({ name }) => name), ServerReflection.typeName].toSorted();
  const roots = services.flatMap(({ methods }) => methods.map(({ method }) => method.parent.file));
  const index = indexOf([...roots, ServerReflection.file]);

  const answer = ({ messageRequest }: ServerReflectionRequest, sent: Set<DescFile>): Answer => {
    switch (messageRequest.case) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: names.map((name) => ({ name })) } };
      case "fileByFilename":
        return filesOf(index.byName.get(messageRequest.value), messageRequest.value, sent);
      case "fileContainingSymbol":
        return filesOf(index.bySymbol.get(messageRequest.value), messageRequest.value, sent);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = messageRequest.value;
        const file = index.extensions.get(containingType)?.get(extensionNumber);
        return filesOf(file, `extension ${extensionNumber} of ${containingType}`, sent);
      }
      case "allExtensionNumbersOfType": {
        const type = messageRequest.value;
        if (!index.messages.has(type)) return failure(Status.NOT_FOUND, `there is no ${type}`);
        const numbers = [...(index.extensions.get(type)?.keys() ?? [])];
        return {
          case: "allExtensionNumbersResponse",
          value: { baseTypeName: type, extensionNumber: numbers },
        };
      }
      default:
        return failure(Status.INVALID_ARGUMENT, "the request asks for nothing that is known");
    }
  };

  return serviceOf(ServerReflection, {
    async *serverReflectionInfo(requests) {
      const sent = new Set<DescFile>();
      for await (const request of requests) {
        yield {
          validHost: request.host,
          originalRequest: request,
          messageResponse: answer(request, sent),
        };
      }
    },
  });
}

interface Index {
  readonly byName: ReadonlyMap<string, DescFile>;
  /** By the full names of services, methods, messages, enums and extensions. */
  readonly bySymbol: ReadonlyMap<string, DescFile>;
  readonly messages: ReadonlySet<string>;
  /** By the message that is extended and the number. */
  readonly extensions: ReadonlyMap<string, ReadonlyMap<number, DescFile>>;
}

function indexOf(roots: readonly DescFile[]): Index {
  const byName = new Map<string, DescFile>();
  const bySymbol = new Map<string, DescFile>();
  const messages = new Set<string>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of withDependencies(roots)) {
    byName.set(file.proto.name, file);
    for (const type of nestedTypes(file)) {
      bySymbol.set(type.typeName, file);
      if (type.kind === "message") messages.add(type.typeName);
      if (type.kind === "service") {
        for (const { name } of type.methods) bySymbol.set(`${type.typeName}.${name}`, file);
      }
      if (type.kind === "extension") extensionsOf(extensions, type.extendee).set(type.number, file);
    }
  }
  return { byName, bySymbol, messages, extensions };
}

function extensionsOf(
  all: Map<string, Map<number, DescFile>>,
  { typeName }: DescMessage,
): Map<number, DescFile> {
  let found = all.get(typeName);
  if (found === undefined) {
    found = new Map();
    all.set(typeName, found);
  }
  return found;
}

/** The files and all that they need, each once, a file before its dependencies. */
function withDependencies(roots: readonly DescFile[]): ReadonlySet<DescFile> {
  const found = new Set<DescFile>();
  const visit = (file: DescFile): void => {
    if (found.has(file)) return;
    found.add(file);
    for (const dependency of file.dependencies) visit(dependency);
  };
  for (const file of roots) visit(file);
  return found;
}

/** The file that was asked for, again too, and those it needs that this stream has not had yet. */
function filesOf(file: DescFile | undefined, what: string, sent: Set<DescFile>): Answer {
  if (file === undefined) return failure(Status.NOT_FOUND, `there is no ${what}`);
  sent.delete(file);
  const files = [...withDependencies([file])].filter((each) => !sent.has(each));
  for (const each of files) sent.add(each);
  return {
    case: "fileDescriptorResponse",
    value: { fileDescriptorProto: files.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto)) },
  };
}

function failure(errorCode: Status, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
