// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.framebuffer;

import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.SignalException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** {@code fb}: what is on a display, and how it came there. */
@Component(
    service = Fb.class,
    property = {
      "osgi.command.scope=faultline", "osgi.command.function=fb", "osgi.command.function=__fb"
    })
public final class Fb {
  private static final String USAGE = "; example: fb show";
  private static final String DEV = "/dev/";
  private static final Pattern USUAL_NAME = Pattern.compile("fb[0-9]+");
  private static final int FOLLOW_MILLIS = 250;

  private final List<Framebuffer> devices;
  private final Tasks tasks;

  /** For all devices of this driver. */
  @Activate
  public Fb(
      @Reference(
          cardinality = ReferenceCardinality.AT_LEAST_ONE,
          policyOption = ReferencePolicyOption.GREEDY) List<Framebuffer> devices,
      @Reference Tasks tasks) {
    this.devices = devices.stream().sorted(Comparator.comparing(Framebuffer::path)).toList();
    this.tasks = tasks;
  }

  /** What Tab offers behind {@code fb}; the shell calls it. */
  public List<String> __fb() {
    return List.of("info", "show", "snapshot", "test");
  }

  /** The command. */
  @Descriptor("""
      a frame buffer: its mode and counters, its picture here or as a PNG file, a test picture
      usage: fb info|show|snapshot|test [DEVICE] [PID] [ADDRESS|FILE.png] [--width N] [--follow [SECONDS]]
      DEVICE is /dev/fb0 or fb0; without it info tells of all, the others take the first.
      show prints two pixels a character in 24-bit colours, where the terminal has them, and shades of
      characters elsewhere; --colour and --plain choose. --width is in characters. --follow prints anew
      whenever the display was sent something, until Ctrl-C or for so many seconds. snapshot writes FILE.png,
      relative to the current folder. test has a process draw colour bars with stores at ADDRESS, where it
      has the device mapped from its beginning.
      example: fb show
      example: fb show --width 60
      example: fb snapshot fb1 picture.png
      example: fb test 1 0x7ffff7ef3000""")
  public String fb(CommandSession session, String... words) throws FbException {
    List<String> rest = new ArrayList<>(Arrays.asList(words));
    if (rest.isEmpty()) {
      throw new FbException("fb: say info, show, snapshot or test" + USAGE);
    }
    String what = rest.removeFirst();
    return switch (what) {
      case "info" -> info(rest);
      case "show" -> show(session, rest);
      case "snapshot" -> snapshot(session, rest);
      case "test" -> test(rest);
      default ->
          throw new FbException(
              "fb: '" + what + "' is none of info, show, snapshot and test" + USAGE);
    };
  }

  private String info(List<String> rest) throws FbException {
    List<Framebuffer> wanted = rest.isEmpty() ? devices : List.of(device(rest));
    end(rest);
    return String.join("\n\n", wanted.stream().map(Info::of).toList());
  }

  /** The one that is named next, or else the first. */
  private Framebuffer device(List<String> rest) throws FbException {
    String word = rest.isEmpty() ? "" : rest.getFirst();
    String path = word.startsWith(DEV) ? word : DEV + word;
    for (Framebuffer device : devices) {
      if (device.path().equals(path)) {
        rest.removeFirst();
        return device;
      }
    }
    if (word.startsWith(DEV) || USUAL_NAME.matcher(word).matches()) {
      throw new FbException(
          "fb: DEVICE '" + word + "' is none of "
              + String.join(", ", devices.stream().map(Framebuffer::path).toList())
              + "; example: fb info " + devices.getFirst().path());
    }
    return devices.getFirst();
  }

  private static void end(List<String> rest) throws FbException {
    if (!rest.isEmpty()) {
      throw new FbException("fb: '" + String.join(" ", rest) + "' is too much" + USAGE);
    }
  }

  private String show(CommandSession session, List<String> rest) throws FbException {
    Framebuffer device = device(rest);
    Terminal terminal = Terminal.of(session);
    boolean colours = terminal.colours();
    int columns = terminal.columns();
    boolean follow = false;
    double seconds = Double.MAX_VALUE;
    while (!rest.isEmpty()) {
      String option = rest.removeFirst();
      switch (option) {
        case "--colour", "--color" -> colours = true;
        case "--plain" -> colours = false;
        case "--width" -> columns = (int) number("--width", rest, 1, 10_000);
        case "--follow" -> {
          follow = true;
          if (!rest.isEmpty() && !rest.getFirst().startsWith("-")) {
            seconds = number("--follow", rest, 0, 1_000_000);
          }
        }
        default -> throw new FbException("fb: '" + option + "' is no option of show" + USAGE);
      }
    }
    if (follow) {
      follow(device, session.getConsole(), columns, colours, seconds);
      return "";
    }
    return String.join("\n", HalfBlocks.lines(device.picture(), columns, colours));
  }

  private static double number(String option, List<String> rest, int low, int high)
      throws FbException {
    String word = rest.isEmpty() ? "" : rest.removeFirst();
    try {
      double value = Double.parseDouble(word);
      if (value >= low && value <= high) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Told below.
    }
    throw new FbException(
        "fb: " + option + ": '" + word + "' is no number from " + low + " to " + high + USAGE);
  }

  /** Each picture is printed over the one before, where the terminal can do that. */
  private static void follow(
      Framebuffer device, PrintStream out, int columns, boolean colours, double seconds) {
    long begun = System.nanoTime();
    long known = -1;
    int height = 0;
    while (!device.deferred().isClosed() && (System.nanoTime() - begun) / 1e9 < seconds) {
      long flushes = device.deferred().counters().flushes();
      if (flushes != known) {
        known = flushes;
        List<String> lines = HalfBlocks.lines(device.shown(), columns, colours);
        if (colours && height > 0) {
          out.print("\u001b[" + height + "A");
        }
        lines.forEach(out::println);
        out.flush();
        height = lines.size();
      }
      try {
        device.deferred().awaitFlush(known, FOLLOW_MILLIS);
      } catch (InterruptedException ctrlC) {
        return;
      }
    }
  }

  private String snapshot(CommandSession session, List<String> rest) throws FbException {
    Framebuffer device = device(rest);
    if (rest.isEmpty()) {
      throw new FbException("fb: FILE.png is missing; example: fb snapshot picture.png");
    }
    Path file = session.currentDir().resolve(rest.removeFirst());
    end(rest);
    if (!file.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
      throw new FbException(
          "fb: " + file + ": the picture is a PNG file: name it " + file + ".png");
    }
    Picture picture = device.picture();
    try {
      long bytes = picture.write(file);
      return "%s: %d x %d pixels, %d bytes".formatted(
          file, picture.width(), picture.height(), bytes);
    } catch (IOException e) {
      throw new FbException("fb: " + file + ": " + reason(file, e));
    }
  }

  private static String reason(Path file, IOException failure) {
    Path folder = file.toAbsolutePath().getParent();
    if (failure instanceof NoSuchFileException && folder != null && !Files.isDirectory(folder)) {
      return "there is no folder " + folder;
    }
    if (failure instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (Files.isDirectory(file)) {
      return "is a folder";
    }
    String message = failure.getMessage();
    return message == null ? failure.getClass().getSimpleName() : message;
  }

  private String test(List<String> rest) throws FbException {
    Framebuffer device = device(rest);
    Task task = process(rest);
    long address = address(rest);
    end(rest);
    Mode mode = device.mode();
    int pixelBytes = mode.bitsPerPixel() / 8;
    UserMemory memory = task.newCpu();
    try {
      for (int y = 0; y < mode.height(); y++) {
        for (int x = 0; x < mode.width(); x++) {
          int pixel = mode.pixel(TestPicture.rgb(x, y, mode.width(), mode.height()));
          long at = address + (long) y * mode.stride() + (long) x * pixelBytes;
          if (pixelBytes == 4) {
            memory.putInt(at, pixel);
          } else {
            memory.putShort(at, (short) pixel);
          }
        }
      }
    } catch (SignalException signal) {
      throw new FbException("fb: " + signal.getMessage());
    }
    return "process %d drew %d x %d pixels at 0x%x".formatted(
        task.pid(), mode.width(), mode.height(), address);
  }

  private Task process(List<String> rest) throws FbException {
    String word = rest.isEmpty() ? "" : rest.removeFirst();
    String digits = word.startsWith("@") ? word.substring(1) : word;
    Optional<Task> found =
        digits.matches("[0-9]{1,7}") ? tasks.find(Integer.parseInt(digits)) : Optional.empty();
    return found.orElseThrow(
        () -> new FbException(
            "fb: PID '" + word
                + "' is no process: ps lists them; example: fb test 1 0x7ffff7ef3000"));
  }

  private static long address(List<String> rest) throws FbException {
    String word = rest.isEmpty() ? "" : rest.removeFirst();
    try {
      return Long.parseUnsignedLong(word.toLowerCase(Locale.ROOT).replaceFirst("^0x", ""), 16);
    } catch (NumberFormatException e) {
      throw new FbException(
          "fb: ADDRESS '" + word + "' is no address: what mmap printed; example: fb test 1"
              + " 0x7ffff7ef3000");
    }
  }
}
