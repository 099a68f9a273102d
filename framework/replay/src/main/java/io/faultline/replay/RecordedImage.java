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
import io.faultline.replay.recording.Note;
import io.faultline.replay.recording.Recording;
import java.util.ArrayList;
import java.util.List;

/** Makes the process of a recording's first line. */
final class RecordedImage {
  /** What a command's name is cut to ({@code TASK_COMM_LEN} less one). */
  private static final int NAME_LENGTH = 15;

  private RecordedImage() {}

  static ProcessImage of(Recording recording, RecordedFiles files, KernelObjects objects) {
    List<InitialArea> areas = new ArrayList<>();
    for (InitialMapping mapping : recording.begin()) {
      Note.FileName name = mapping.file();
      Inode file = name == null ? null : files.initial(name);
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
        commandName(recording),
        recording.meta().profile(),
        recording.meta().layout(),
        recording.meta().limits(),
        recording.meta().credentials(),
        areas,
        objects);
  }

  private static String commandName(Recording recording) {
    List<String> command = recording.meta().command();
    String program = command.isEmpty() ? recording.name() : command.getFirst();
    String name = program.substring(program.lastIndexOf('/') + 1);
    return name.length() > NAME_LENGTH ? name.substring(0, NAME_LENGTH) : name;
  }
}
