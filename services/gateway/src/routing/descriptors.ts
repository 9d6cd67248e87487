import { readFile } from "node:fs/promises";
import { createFileRegistry, fromBinary, type FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/**
 * Reads a `google.protobuf.FileDescriptorSet`, as `buf build -o` and `protoc -o --include_imports` write it.
 * Throws when the file cannot be read or is not one.
 */
export async function loadDescriptors(path: string): Promise<FileRegistry> {
  const bytes = await readFile(path);
  try {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  } catch (error) {
    throw new Error(`${path} is not a complete descriptor set`, { cause: error });
  }
}
