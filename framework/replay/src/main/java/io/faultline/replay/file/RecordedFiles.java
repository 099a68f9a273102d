// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.file;

import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.device.Inode;
import io.faultline.device.MmapProvider;
import io.faultline.device.OpenFile;
import io.faultline.device.PageAllocator;
import io.faultline.kernel.Files;
import io.faultline.kernel.Task;
import io.faultline.mm.ErrnoException;
import io.faultline.replay.recording.Event;
import io.faultline.replay.recording.Note;
import io.faultline.replay.recording.Note.FileName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The files of one replay: which inode a recorded name is, and which open file a recorded K.
 *
 * <p>An inode here is a (device, number, path): one file may be mapped under two names at once, and
 * maps shows each mapping under the name by which its file was opened.
 *
 * <p>Confined to the thread of its replay.
 */
public final class RecordedFiles implements AutoCloseable {
  private static final DeviceNumber DEV_ZERO = new DeviceNumber(1, 5);

  /** File systems whose regular files have no {@code mmap}. */
  private static final List<String> UNMAPPABLE =
      List.of("proc", "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs");

  private record Key(DeviceNumber device, long number) {}

  private final Files files;
  private final PageAllocator pages;
  private final Map<DeviceNumber, String> fileSystems = new HashMap<>();
  private final Map<Key, List<Inode>> inodes = new HashMap<>();
  private final Map<Integer, OpenFile> open = new HashMap<>();
  private final List<FileFrame> frames = new ArrayList<>();

  /**
   * @param files installs descriptors
   * @param pages gives the frames that stand for contents
   * @param events the whole recording: what a mapping of the beginning does not say of its file
   *     system, a later {@code @fd} on the same device does
   */
  public RecordedFiles(Files files, PageAllocator pages, List<Event> events) {
    this.files = files;
    this.pages = pages;
    for (Event event : events) {
      if (event instanceof Note.FileDescriptor note && note.kind() == FileKind.REGULAR) {
        fileSystems.putIfAbsent(note.name().device(), note.fileSystem());
      }
    }
  }

  /**
   * The file of a mapping that is there at the beginning. Its size is not recorded; nothing at the
   * beginning is mapped beyond the end of its file.
   */
  public Inode initial(FileName name) {
    String fileSystem = fileSystems.getOrDefault(name.device(), "ext4");
    return inode(name, FileKind.REGULAR, fileSystem, false, 0, DeviceNumber.NONE, Long.MAX_VALUE);
  }

  /** Carries out an {@code @fd} note. */
  public void install(Task task, Note.FileDescriptor note) throws ErrnoException {
    OpenFile known = open.get(note.file());
    if (known != null) {
      update(known.inode(), note);
      files.install(task, note.fd(), known);
      return;
    }
    Inode inode =
        inode(
            note.name(),
            note.kind(),
            note.fileSystem(),
            note.noExec(),
            note.seals(),
            note.represents(),
            note.size());
    AccessMode mode = note.mode();
    open.put(note.file(), files.open(task, note.fd(), inode, mode, note.append()));
  }

  /** Carries out an {@code @path} note: every mapping and every open file shows the new name. */
  public void rename(FileName name) {
    for (Inode inode : inodes.getOrDefault(key(name), List.of())) {
      inode.rename(name.path());
    }
  }

  /** Gives back the frames. */
  @Override
  public void close() {
    frames.forEach(FileFrame::close);
    frames.clear();
  }

  private void update(Inode inode, Note.FileDescriptor note) {
    if (!inode.path().equals(note.name().path())) {
      inode.rename(note.name().path());
    }
    resize(note.name(), note.size());
  }

  private Inode inode(
      FileName name,
      FileKind kind,
      String fileSystem,
      boolean noExec,
      int seals,
      DeviceNumber represents,
      long size) {
    for (Inode inode : inodes.getOrDefault(key(name), List.of())) {
      if (inode.path().equals(name.path())
          && inode.kind() == kind
          && inode.seals() == seals
          && inode.noExec() == noExec) {
        resize(name, size);
        return inode;
      }
    }
    Inode inode =
        Inode.builder(kind, name.path())
            .identity(name.device(), name.number())
            .fileSystem(fileSystem, noExec)
            .seals(seals)
            .represents(represents)
            .provider(provider(kind, fileSystem, represents, name.path()))
            .size(size)
            .build();
    inodes.computeIfAbsent(key(name), k -> new ArrayList<>()).add(inode);
    resize(name, size);
    return inode;
  }

  /** A file has one size under all its names. */
  private void resize(FileName name, long size) {
    for (Inode inode : inodes.getOrDefault(key(name), List.of())) {
      inode.resize(size);
    }
  }

  private MmapProvider provider(
      FileKind kind, String fileSystem, DeviceNumber represents, String path) {
    return switch (kind) {
      case REGULAR -> {
        if (UNMAPPABLE.contains(fileSystem)) {
          yield new UnmappableFile();
        }
        yield fileSystem.equals("tmpfs")
            ? new MemoryFile(frame())
            : new DiskFile(fileSystem, frame());
      }
      case CHARACTER_DEVICE ->
          represents.equals(DEV_ZERO) ? new ZeroDevice() : new UnmappableFile();
      case SOCKET -> new Socket();
      case ANONYMOUS ->
          path.startsWith("anon_inode:[io_uring]") ? new RingFile(frame()) : new UnmappableFile();
      case DIRECTORY, FIFO -> new UnmappableFile();
    };
  }

  private FileFrame frame() {
    FileFrame frame = new FileFrame(pages);
    frames.add(frame);
    return frame;
  }

  private static Key key(FileName name) {
    return new Key(name.device(), name.number());
  }
}
