// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import io.faultline.device.Inode;
import io.faultline.kernel.InitialArea;
import io.faultline.kernel.KernelObjects;
import io.faultline.kernel.ProcessImage;
import io.faultline.mm.Mman;
import io.faultline.replay.file.RecordedFiles;
import io.faultline.replay.recording.InitialMapping;
import io.faultline.replay.recording.Meta;
import io.faultline.replay.recording.Note;
import io.faultline.replay.recording.Recording;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Makes the process of a recording's first line. */
public final class RecordedImage {
  /** What a command's name is cut to ({@code TASK_COMM_LEN} less one). */
  private static final int NAME_LENGTH = 15;

  private RecordedImage() {}

  static ProcessImage of(Recording recording, RecordedFiles files, KernelObjects objects) {
    return of(commandName(recording), recording.meta(), recording.begin(), files, objects);
  }

  /**
   * Makes the image of a process.
   *
   * @param name the command's name
   * @param meta its machine and itself
   * @param begin its mappings
   * @param files gives the files of the mappings
   * @param objects names the kernel objects that the process makes
   */
  public static ProcessImage of(
      String name,
      Meta meta,
      List<InitialMapping> begin,
      RecordedFiles files,
      KernelObjects objects) {
    List<InitialArea> areas = new ArrayList<>();
    for (InitialMapping mapping : begin) {
      Note.FileName mapped = mapping.file();
      Inode file = mapped == null ? null : files.initial(mapped);
      long offset =
          file == null && mapping.special() == null ? mapping.start() : mapping.offset();
      areas.add(
          new InitialArea(
              mapping.start(),
              mapping.end(),
              mapping.flags(),
              offset >>> Mman.PAGE_SHIFT,
              file,
              mapping.special()));
    }
    return new ProcessImage(
        name,
        meta.profile(),
        meta.layout(),
        meta.limits(),
        meta.credentials(),
        areas,
        objects,
        meta.command(),
        Map.of());
  }

  private static String commandName(Recording recording) {
    List<String> command = recording.meta().command();
    String program = command.isEmpty() ? recording.name() : command.getFirst();
    String name = program.substring(program.lastIndexOf('/') + 1);
    return name.length() > NAME_LENGTH ? name.substring(0, NAME_LENGTH) : name;
  }
}
