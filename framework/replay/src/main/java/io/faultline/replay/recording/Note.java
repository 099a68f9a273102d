// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;

/** A line that begins with {@code @}: something that the calls alone do not tell. */
public sealed interface Note extends Event {
  /**
   * The name of a file as maps shows it.
   *
   * @param device the device that holds the file
   * @param number the inode number
   * @param path the text in maps
   */
  record FileName(DeviceNumber device, long number, String path) {}

  /**
   * {@code @fd}: a descriptor stands for an open file from now on.
   *
   * @param fd the descriptor
   * @param file K, the identity of the open file object
   * @param fileSystem type of the file system
   * @param size in bytes, at this moment
   * @param seals {@code F_SEAL_…}
   * @param represents for a device node the device that it is, else {@link DeviceNumber#NONE}
   */
  record FileDescriptor(
      int line,
      int fd,
      int file,
      FileKind kind,
      AccessMode mode,
      boolean append,
      String fileSystem,
      boolean noExec,
      FileName name,
      long size,
      int seals,
      DeviceNumber represents)
      implements Note {}

  /**
   * {@code @newobj}: the next call creates an object with this identity.
   *
   * @param length its size in bytes, or -1 where the call says it
   */
  record NewObject(int line, FileName name, long length) implements Note {}

  /** {@code @path}: the file's name in maps changed. */
  record Renamed(int line, FileName name) implements Note {}

  /** {@code @checkpoint}: compare maps and flags now. */
  record CheckpointReached(int line, String name) implements Note {}

  /** {@code @child}: what became of the child that the fork before made. */
  record Child(int line, int pid, boolean exits) implements Note {}

  /** {@code @follow}: the recording goes on in the child; the parent stays alive. */
  record Follow(int line, int pid) implements Note {}

  /** {@code @others_exit}: every process left behind is gone now. */
  record OthersExit(int line) implements Note {}
}
