// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.itests.driver.DriverJar;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import java.awt.image.BufferedImage;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** {@code framebuffer.jar} in a running kernel: drawn by a process, seen by the command {@code fb}. */
@InFelix
class FramebufferIT {
  private static final String DEVICE = "/dev/fb0";
  private static final String PID = "io.faultline.driver.framebuffer";
  private static final int WIDTH = 60;
  private static final int HEIGHT = 50;
  private static final int PAGES = 3;
  /** So that pages stay dirty until they are asked for. */
  private static final int NEVER = 60_000;

  private BundleContext context;
  private Devices devices;
  private CommandSession session;
  private Configuration configuration;
  private Program program;
  private long address;

  @BeforeEach
  void install(
      BundleContext bundle, Devices table, CommandProcessor processor, Tasks tasks, Files files,
      VmaService memory, ConfigurationAdmin configurations)
      throws Exception {
    context = bundle;
    devices = table;
    configuration = configurations.getConfiguration(PID, "?");
    configure(Map.of("width", WIDTH, "height", HEIGHT, "delay.millis", NEVER));
    session = processor.createSession(
        InputStream.nullInputStream(), PrintStream.nullOutputStream(),
        PrintStream.nullOutputStream());
    session.put("SCOPE", "faultline:*");
    session.currentDir(Path.of(context.getProperty("faultline.var")));
    Eventually.holds(
        "the shell is there",
        () -> session.get(".commands") instanceof Set<?> commands
            && commands.contains("faultline:insmod"));
    run("insmod framebuffer");
    Eventually.holds("fb is there", () -> run("fb info").contains("mode"));
    program = Program.start(tasks, files, memory);
    address = program.map(program.open(DEVICE), PAGES);
  }

  @AfterEach
  void remove() throws Exception {
    program.close();
    if (present(DEVICE)) {
      run("rmmod framebuffer");
    }
    session.close();
    configuration.delete();
  }

  private void configure(Map<String, ?> properties) throws Exception {
    configuration.update(dictionary(properties));
  }

  private static Dictionary<String, Object> dictionary(Map<String, ?> properties) {
    return new Hashtable<>(properties);
  }

  /** The command goes and comes with its component, which a new configuration may make anew. */
  private String run(String line) {
    String[] said = {""};
    Eventually.holds(
        "the command is there",
        () -> !(said[0] = runOnce(line)).contains("there is no such command"));
    return said[0];
  }

  private String runOnce(String line) {
    try {
      return String.valueOf(session.execute(line));
    } catch (Exception e) {
      return e.toString();
    }
  }

  /** Draws a picture of many colours with stores. */
  private int[][] draw(long seed) {
    Random random = new Random(seed);
    int[][] drawn = new int[HEIGHT][WIDTH];
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        drawn[y][x] = random.nextInt(1 << 24);
        program.cpu().putInt(address + (long) (y * WIDTH + x) * 4, drawn[y][x]);
      }
    }
    return drawn;
  }

  private int[][] snapshot() throws Exception {
    String said = run("fb snapshot picture.png");
    Path file = session.currentDir().resolve("picture.png");
    assertThat(said).startsWith(file + ": 60 x 50 pixels");
    BufferedImage image = ImageIO.read(file.toFile());
    int[][] read = new int[image.getHeight()][image.getWidth()];
    for (int y = 0; y < read.length; y++) {
      for (int x = 0; x < read[y].length; x++) {
        read[y][x] = image.getRGB(x, y) & 0xffffff;
      }
    }
    return read;
  }

  private String info(String name) {
    return run("fb info").lines().filter(line -> line.startsWith(name)).findFirst().orElseThrow();
  }

  @Test
  void aSnapshotHasEveryPixelThatAProcessStored() throws Exception {
    int[][] drawn = draw(1);
    assertThat(snapshot()).isEqualTo(drawn);
    int[][] again = draw(2);
    assertThat(snapshot()).as("over the old file").isEqualTo(again);
  }

  @Test
  void showPrintsEveryPixelAsHalfOfABlock() {
    int[][] drawn = draw(3);
    List<String> lines = run("fb show --colour").lines().toList();
    assertThat(lines).hasSize(HEIGHT / 2);
    Pattern cell = Pattern.compile(
        "(?:\u001b\\[38;2;(\\d+);(\\d+);(\\d+)m)?(?:\u001b\\[48;2;(\\d+);(\\d+);(\\d+)m)?\u2580");
    for (int i = 0; i < lines.size(); i++) {
      Matcher cells = cell.matcher(lines.get(i));
      int upper = -1;
      int lower = -1;
      for (int x = 0; x < WIDTH; x++) {
        assertThat(cells.find()).isTrue();
        upper = cells.group(1) == null ? upper : rgb(cells, 1);
        lower = cells.group(4) == null ? lower : rgb(cells, 4);
        assertThat(upper).isEqualTo(drawn[2 * i][x]);
        assertThat(lower).isEqualTo(drawn[2 * i + 1][x]);
      }
      assertThat(cells.find()).isFalse();
    }
    assertThat(run("fb show")).as("no terminal").doesNotContain("\u001b");
  }

  private static int rgb(Matcher match, int group) {
    return Integer.parseInt(match.group(group)) << 16
        | Integer.parseInt(match.group(group + 1)) << 8 | Integer.parseInt(match.group(group + 2));
  }

  @Test
  void pagesAreDirtyFromTheFirstStoreUntilTheyAreSent() {
    assertThat(info("deferred io"))
        .contains("dirty now 0; first stores 0; flushes 0, pages sent 0");
    draw(4);
    draw(5);
    assertThat(info("deferred io")).contains("dirty now 3; first stores 3; flushes 0");
    run("fb show");
    assertThat(info("deferred io"))
        .contains("dirty now 0; first stores 3; flushes 1, pages sent 3");
    program.cpu().putInt(address, 6);
    program.cpu().putInt(address + 4, 6);
    assertThat(info("deferred io")).contains("dirty now 1; first stores 4");
  }

  @Test
  void anUpgradeKeepsThePictureAndTheDirtyPages() throws Exception {
    int[][] drawn = draw(7);
    run("fb show");
    drawn[HEIGHT - 1][WIDTH - 1] = 0x123456;
    long last = address + (long) (HEIGHT * WIDTH - 1) * 4;
    program.cpu().putInt(last, 0x123456);
    Path next = session.currentDir().resolve("framebuffer-9.jar");
    Path jar = Path.of(context.getProperty("faultline.available"), "framebuffer.jar");
    java.nio.file.Files.write(next, DriverJar.withVersion(jar, "9.0.0"));

    String said = run("driver upgrade " + next);

    assertThat(said).contains("-> 9.0.0", "1 open files, 1 areas");
    Eventually.holds("the new version's fb is there", () -> run("fb info").contains("mode"));
    assertThat(info("deferred io"))
        .contains("dirty now 1; first stores 4; flushes 1, pages sent 3");
    assertThat(program.cpu().getInt(last)).isEqualTo(0x123456);
    assertThat(snapshot()).isEqualTo(drawn);
    program.cpu().putInt(last, 0x654321);
    assertThat(info("deferred io")).contains("dirty now 1; first stores 5");
    run("rmmod framebuffer-9");
  }

  @Test
  void withoutADriverAProgramDrawsOnZerosAndThePictureComesBackWithIt() throws Exception {
    int[][] drawn = draw(8);
    run("rmmod framebuffer");
    assertThat(program.cpu().getInt(address)).isZero();
    program.cpu().putInt(address, 1);
    run("insmod framebuffer");
    Eventually.holds(
        "the picture is back", () -> program.cpu().getInt(address) == drawn[0][0]);
    assertThat(snapshot()).isEqualTo(drawn);
  }

  @Test
  void anotherModeIsTakenAtOnceAndOneThatDoesNotFitIsNot() throws Exception {
    draw(9);
    configure(Map.of("width", 100, "height", 10, "bits.per.pixel", 16));
    Eventually.holds("the mode changes", () -> run("fb info").contains("100,10"));
    assertThat(info("stride")).endsWith(" 200");
    configure(Map.of("width", 1000, "height", 1000));
    Eventually.holds(
        "the refusal is told",
        () -> run("fb info").contains("not configured  width, height: 1000x1000-32 needs 4000000"));
    assertThat(info("virtual_size")).endsWith("100,10");
    configure(Map.of("width", 80, "height", 10));
    Eventually.holds("the mode after it", () -> run("fb info").contains("80,10"));
    assertThatThrownBy(() -> session.execute("fb snapshot /no/such/folder/p.png"))
        .hasMessageContaining("there is no folder /no/such/folder");
  }

  @Test
  void anotherConfigurationIsAnotherDevice(
      ConfigurationAdmin configurations, Tasks tasks, Files files, VmaService memory)
      throws Exception {
    configuration.delete();
    Eventually.holds("the defaults count", () -> run("fb info").contains("320,200"));
    Configuration first = configurations.getFactoryConfiguration(PID, "first", "?");
    Configuration second = configurations.getFactoryConfiguration(PID, "second", "?");
    try {
      first.update(dictionary(Map.of("width", WIDTH, "height", HEIGHT, "delay.millis", NEVER)));
      second.update(
          dictionary(Map.of("device.name", "fb1", "width", 8, "height", 4, "memory.order", 0)));
      Eventually.holds("both are there", () -> present(DEVICE) && present("/dev/fb1")
          && run("fb info").contains("8x4") && run("fb info").contains("60x50"));
      try (Program other = Program.start(tasks, files, memory)) {
        long place = other.map(other.open("/dev/fb1"), 1);
        assertThat(run("fb test fb1 %d 0x%x".formatted(other.task().pid(), place)))
            .contains("drew 8 x 4 pixels");
        assertThat(run("fb snapshot fb1 second.png")).contains("8 x 4 pixels");
        Path next = session.currentDir().resolve("framebuffer-8.jar");
        Path jar = Path.of(context.getProperty("faultline.available"), "framebuffer.jar");
        java.nio.file.Files.write(next, DriverJar.withVersion(jar, "8.0.0"));
        assertThat(run("driver upgrade " + next)).contains("-> 8.0.0", "/dev/fb0", "/dev/fb1");
        assertThat(other.cpu().getInt(place)).isEqualTo(0xffffff);
        Eventually.holds("its fb knows both", () -> run("fb info fb1").contains("8x4"));
        run("rmmod framebuffer-8");
      }
    } finally {
      first.delete();
      second.delete();
      configuration = configurations.getConfiguration(PID, "?");
    }
  }

  private boolean present(String path) {
    return devices.find(path).filter(DeviceInfo::present).isPresent();
  }
}
