// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Task;
import io.faultline.kernel.Tasks;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;

/** The shell's commands, as a line that somebody types reaches them. */
@InFelix
class ShellIT {
  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private CommandSession session;
  private Tasks tasks;
  private Proc proc;
  private Devices devices;
  private BundleContext context;

  @BeforeEach
  void openSession(
      CommandProcessor processor, Tasks processes, Proc texts, Devices table,
      BundleContext bundle) {
    tasks = processes;
    proc = texts;
    devices = table;
    context = bundle;
    PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
    session = processor.createSession(InputStream.nullInputStream(), out, out);
    session.put("SCOPE", "faultline:gogo:felix:*");
    Eventually.holds(
        "the commands are there",
        () -> session.get(".commands") instanceof Set<?> commands
            && commands.containsAll(
                Set.of("faultline:spawn", "faultline:insmod", "faultline:demo")));
  }

  @AfterEach
  void closeSession() throws Exception {
    if (devices.find("/dev/scullp0").isPresent()) {
      type("rmmod scullp");
    }
    session.close();
    tasks.list().forEach(task -> tasks.exit(task, 0));
  }

  /** What the screen shows after a line: what it printed, then what it returned. */
  private String type(String line) throws Exception {
    printed.reset();
    Object result = session.execute(line);
    String returned = result == null ? "" : session.format(result, Converter.INSPECT).toString();
    return printed.toString(StandardCharsets.UTF_8) + returned;
  }

  private Task spawn() throws Exception {
    Set<Task> before = Set.copyOf(tasks.list());
    type("spawn typed");
    return tasks.list().stream().filter(t -> !before.contains(t)).findFirst().orElseThrow();
  }

  @Test
  void spawnStartsAProcessThatPsLists() throws Exception {
    Task task = spawn();
    assertThat(task.name()).isEqualTo("typed");
    assertThat(type("ps")).contains("typed").contains(Integer.toString(task.pid()));
  }

  @Test
  void mapsPrintsTheKernelsTextByteForByte() throws Exception {
    Task task = spawn();
    assertThat(type("maps " + task.pid()).strip()).isEqualTo(proc.maps(task).strip());
  }

  @Test
  void whatACommandPrintsGoesThroughAPipe() throws Exception {
    Task task = spawn();
    String line = type("maps " + task.pid() + " | grep --color=never stack").strip();
    assertThat(line).endsWith("[stack]").hasLineCount(1);
  }

  @Test
  void aDriverIsInstalledAndRemovedByName() throws Exception {
    assertThat(type("insmod")).contains("scullp").contains("installed: none");
    assertThat(type("insmod scullp")).contains("/dev/scullp0").contains("/dev/scullp3");
    assertThat(type("devices")).contains("/dev/scullp0");
    type("rmmod scullp");
    assertThat(devices.find("/dev/scullp0")).isEmpty();
  }

  @Test
  void aDriverThatDoesNotExistIsAnErrorThatNamesThoseThatDo() {
    assertThatThrownBy(() -> type("insmod scul"))
        .hasMessageContaining("scul")
        .hasMessageContaining("scullp");
    assertThatThrownBy(() -> type("rmmod scul")).hasMessageContaining("scul");
  }

  @Test
  void aSecondJarOfADriverIsRefusedAndSentToUpgrade() throws Exception {
    Path available = Path.of(context.getProperty("faultline.available"), "scullp.jar");
    Path other = Files.createTempDirectory("insmod").resolve("other.jar");
    Files.copy(available, other);
    type("insmod scullp");
    assertThatThrownBy(() -> type("insmod " + other))
        .hasMessageContaining("from scullp.jar")
        .hasMessageContaining("driver upgrade " + other);
    assertThat(type("insmod")).containsPattern("installed: scullp$");
    type("rmmod scullp");
    Files.delete(other);
    Files.delete(other.getParent());
  }

  @Test
  void insmodCompilesSourcesFirst() throws Exception {
    Path source = Path.of(context.getProperty("faultline.home"), "samples/Hello.java");
    assertThat(type("insmod " + source)).isEqualTo("hello 1.0.0: /dev/hello");
    assertThat(type("rmmod hello")).isEqualTo("hello is gone");
    assertThat(type("insmod")).as("it stays at hand").containsPattern("available: .*\\bhello\\b");
  }

  @Test
  void insmodSaysWhatTheCompilerSays() throws Exception {
    Path source = Path.of(context.getProperty("faultline.var"), "Wrong.java");
    Files.writeString(source, "class Wrong { int number = true; }");
    assertThatThrownBy(() -> type("insmod " + source))
        .hasMessageContaining("Wrong.java:1: error: incompatible types");
  }

  @Test
  void insmodSaysWhyADriverBroughtNoDevice() throws Exception {
    assertThat(refusalOf("Moody", "@Device(name = \"moody\")", "throw new Error(\"not today\");"))
        .contains("brought no device: ", "not today", "rmmod moody");
    assertThat(refusalOf("Second", "@Device(name = \"zero\")", ""))
        .as("one that came first has the name")
        .contains("name: /dev/zero is taken", "rmmod second");
  }

  @Test
  void insmodSaysWhatADriverWaitsFor() throws Exception {
    assertThat(
        refusalOf(
            "Lonely", "@Device(name = \"lonely\")",
            "} @org.osgi.service.component.annotations.Reference Runnable company; {"))
        .contains("brought no device: component refused.Lonely waits for a service "
            + "java.lang.Runnable");
  }

  @Test
  void dmesgShowsWhatTheKernelLogged() throws Exception {
    // Here the tests' own logging lets warnings through alone.
    refusalOf("Third", "@Device(name = \"zero\")", "");
    assertThat(type("dmesg")).contains("io.faultline.core: driver refused.third 1.0.0 is not");
    assertThat(type("dmesg 1")).startsWith("[").doesNotContain("\n");
    assertThatThrownBy(() -> type("dmesg some"))
        .hasMessageContaining("some is no number; example: dmesg 100");
  }

  /** What insmod answers to a driver; takes it out again. */
  private String refusalOf(String name, String annotation, String construction) throws Exception {
    type("insmod zero");
    Path source = Path.of(context.getProperty("faultline.var"), name + ".java");
    Files.writeString(
        source,
        "package refused; import io.faultline.device.*; "
            + "@org.osgi.service.component.annotations.Component "
            + annotation
            + " public class %1$s implements MmapProvider { public %1$s() { %2$s } }"
                .formatted(name, construction));
    try {
      type("insmod " + source);
      return "accepted";
    } catch (Exception refusal) {
      return refusal.toString();
    } finally {
      type("rmmod " + name.toLowerCase(Locale.ROOT));
      type("rmmod zero");
    }
  }

  @Test
  void whatIsPokedIntoADevicesMemoryIsPeekedAgain() throws Exception {
    type("insmod scullp");
    Task task = spawn();
    int pid = task.pid();
    type("open " + pid + " /dev/scullp0");
    type("write " + pid + " 0 hello");
    type("a = (mmap " + pid + " 1p rw- shared 0)");
    type("poke " + pid + " $a HELLO");
    assertThat(type("peek " + pid + " $a 16")).contains("HELLO");
  }

  @Test
  void wrongArgumentsGetOneLineWithAnExample() {
    assertThatThrownBy(() -> type("maps nobody"))
        .hasMessageContaining("PID")
        .hasMessageContaining("example: maps 1")
        .extracting(Throwable::getMessage)
        .asString()
        .hasLineCount(1);
  }

  @Test
  void theDemoHoldsWhatItSays() throws Exception {
    assertThat(type("demo")).contains("all of them true");
    assertThat(devices.list()).as("left as it was").isEmpty();
    assertThat(context.getBundles())
        .noneMatch(b -> "io.faultline.driver.scullp".equals(b.getSymbolicName()));
  }
}
