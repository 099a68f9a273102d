// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.shell.command;

import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.mm.Mman;
import io.faultline.shell.Command;
import io.faultline.shell.CommandException;
import io.faultline.shell.view.PageWord;
import io.faultline.shell.view.Table;
import io.faultline.shell.word.WordException;
import java.util.ArrayList;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.apache.felix.service.command.annotations.GogoCommand;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Some words of {@code /proc/PID/pagemap}, in words. */
@Component(service = PagemapCommand.class)
@GogoCommand(scope = Command.SCOPE, function = "pagemap")
public final class PagemapCommand extends Command {
  private static final int PAGES = 16;
  private static final int MOST_PAGES = 65_536;

  private static final Table.Layout<PageWord> LAYOUT =
      Table.Layout.<PageWord>withEmpty("no pages there")
          .text("ADDRESS", word -> "%x".formatted(word.address()))
          .text("WORD", word -> "%016x".formatted(word.word()))
          .text("MEANING", PageWord::meaning);

  private final Tasks tasks;
  private final Proc proc;

  /** Injected. */
  @Activate
  public PagemapCommand(@Reference Tasks tasks, @Reference Proc proc) {
    this.tasks = tasks;
    this.proc = proc;
  }

  /** The command. */
  @Descriptor("""
      print words of /proc/PID/pagemap, one a page, and what they mean
      usage: pagemap [PID] ADDRESS [PAGES]
      PAGES is 16 if it is left out, 65536 at most; pages that are nowhere are left out.
      example: pagemap 1 7ffff7ff3000 4""")
  public @Nullable Object pagemap(CommandSession session, String... words)
      throws CommandException {
    return run(
        session,
        words,
        arguments -> {
          Task task = arguments.process(tasks);
          String typed = arguments.peek();
          long start = arguments.address("ADDRESS") & -Mman.PAGE_SIZE;
          int pages = arguments.hasNext() ? arguments.next("PAGES", PagemapCommand::pages) : PAGES;
          arguments.end();
          long size = task.profile().taskSize();
          if (Long.compareUnsigned(start, size) >= 0) {
            throw arguments.wrong(
                "ADDRESS", String.valueOf(typed), "lies outside of user space");
          }
          return LAYOUT.of(read(task, start, pages));
        });
  }

  private List<PageWord> read(Task task, long start, int pages) {
    List<PageWord> rows = new ArrayList<>();
    long[] values = proc.pagemap(task, start, pages);
    for (int i = 0; i < values.length; i++) {
      if (values[i] != 0) {
        rows.add(new PageWord(start + ((long) i << Mman.PAGE_SHIFT), values[i]));
      }
    }
    return rows;
  }

  private static int pages(String word) throws WordException {
    if (!word.matches("[0-9]{1,5}") || Integer.parseInt(word) < 1
        || Integer.parseInt(word) > MOST_PAGES) {
      throw new WordException("is no number of pages from 1 to " + MOST_PAGES);
    }
    return Integer.parseInt(word);
  }
}
