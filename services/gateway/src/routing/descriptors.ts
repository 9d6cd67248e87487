import { createFileRegistry, fromBinary, type FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/**
 * Reads a `google.protobuf.FileDescriptorSet`, as `buf build -o` and `protoc -o --include_imports` write it.
 * Throws when it is none.
 */
export function parseDescriptors(bytes: Uint8Array): FileRegistry {
  try {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  } catch (error) {
    throw new Error("is not a complete descriptor set", { cause: error });
  }
}
