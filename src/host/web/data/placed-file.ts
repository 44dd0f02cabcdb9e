/** A file and where it lies, as `folder/train/cat/1.jpg`. */
export interface PlacedFile {
  readonly path: string;
  readonly file: File;
}

/** Of a file that was picked: below the folder that was picked as a whole, else its name. */
export const placed = (file: File | PlacedFile): PlacedFile =>
  file instanceof Blob ? { path: file.webkitRelativePath || file.name, file } : file;

/**
 * The files of a drop, those in dropped folders included. Has to be called while the event is handled: what a drop holds is gone
 * afterwards.
 */
export async function droppedFiles(drop: DataTransfer): Promise<PlacedFile[]> {
  const roots = Array.from(drop.items, (item) => item.webkitGetAsEntry()).filter((e) => e !== null);
  const found: PlacedFile[] = [];
  const visit = async (entry: FileSystemEntry): Promise<void> => {
    const path = entry.fullPath.replace(/^\//, "");
    if (entry.isFile) {
      const file = await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail));
      found.push({ path, file });
      return;
    }
    for (const child of await entriesOf(entry as FileSystemDirectoryEntry)) await visit(child);
  };
  for (const root of roots) await visit(root);
  return found;
}

/** A reader gives a hundred at a time, and none at the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
