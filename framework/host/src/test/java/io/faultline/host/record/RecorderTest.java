// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.host.OnLinux;
import io.faultline.host.ptrace.Launch;
import io.faultline.host.ptrace.Tracer;
import io.faultline.replay.KernelServices;
import io.faultline.replay.ReplayOptions;
import io.faultline.replay.ReplayResult;
import io.faultline.replay.Replayer;
import io.faultline.testkit.FaultlineTest;
import io.faultline.testkit.Kernel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs of this machine, recorded on its kernel and replayed on ours. */
@OnLinux(series = "6.18")
@FaultlineTest
class RecorderTest {
  @TempDir private Path folder;

  private Recording record(boolean followExec, String... command) throws Exception {
    Launch launch =
        Launch.of(command[0], List.of(command)).withoutInput().withoutOutput();
    Recording recording = Tracer.onOwnThread("recorder",
        tracer -> Recorder.record(tracer, launch, followExec, calls -> {}));
    recording.writeTo(folder);
    return recording;
  }

  private static ReplayResult replay(Kernel kernel, Path recording) throws Exception {
    return new Replayer(new KernelServices(kernel.tasks(), kernel.vmas(), kernel.faults(),
        kernel.files(), kernel.proc(), kernel.pages("replay")))
        .replay(io.faultline.replay.recording.Recording.read(recording), ReplayOptions.ALL);
  }

  private List<String> lines() throws Exception {
    return Files.readAllLines(folder.resolve("calls.strace"), StandardCharsets.ISO_8859_1);
  }

  private void isExact(Kernel kernel, Recording recording) throws Exception {
    ReplayResult result = replay(kernel, folder);
    assertThat(recording.warnings()).isEmpty();
    assertThat(result.divergences()).isEmpty();
    assertThat(result.exact()).isTrue();
    assertThat(result.digests().total()).isPositive();
  }

  @Test
  void trueReplaysExactly(Kernel kernel) throws Exception {
    Recording recording = record(true, "/bin/true");
    assertThat(recording.exit()).isZero();
    assertThat(recording.threads()).isOne();
    isExact(kernel, recording);
  }

  @Test
  void lsReplaysExactly(Kernel kernel) throws Exception {
    isExact(kernel, record(true, "/bin/ls", "-la", "/usr/bin"));
  }

  @Test
  void javaWithItsThreadsReplaysExactly(Kernel kernel) throws Exception {
    Recording recording =
        record(true, Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx64m", "-XX:+UseSerialGC", "-version");
    assertThat(recording.threads()).isGreaterThan(3);
    isExact(kernel, recording);
  }

  @Test
  void shellThatForksReplaysExactly(Kernel kernel) throws Exception {
    Recording recording = record(true, "/bin/sh", "-c", "/bin/true; /bin/true; exit 3");
    assertThat(recording.exit()).isEqualTo(3);
    isExact(kernel, recording);
  }

  @Test
  void programKilledByASignalIsRecordedToItsEnd(Kernel kernel) throws Exception {
    Recording recording = record(true, "/bin/sh", "-c", "kill -SEGV $$");
    assertThat(recording.exit()).isEqualTo(128 + 11);
    assertThat(lines().getLast()).isEqualTo("@checkpoint end");
    isExact(kernel, recording);
  }

  @Test
  void programThatBecomesAnotherIsRecordedAsThat(Kernel kernel) throws Exception {
    Recording recording = record(true, "/bin/sh", "-c", "exec /bin/true");
    assertThat(recording.command()).containsExactly("/bin/true");
    isExact(kernel, recording);
  }

  @Test
  void recordingCanEndWhereTheProgramBecomesAnother(Kernel kernel) throws Exception {
    Recording recording =
        record(false, "/bin/sh", "-c", "exec /no/such/program || true; exec /bin/true");
    assertThat(recording.command()).startsWith("/bin/sh");
    isExact(kernel, recording);
  }

  @Test
  void firstLinesAreTheImageAndItsFirstTouches() throws Exception {
    record(true, "/bin/true");
    assertThat(lines().getFirst()).startsWith("execve(\"")
        .endsWith("\", [\"/bin/true\"], NULL) = 0");
    int checkpoint = lines().indexOf("@checkpoint 000");
    assertThat(lines().subList(1, checkpoint)).isNotEmpty()
        .allMatch(line -> line.matches("touch_write\\(0x[0-9a-f]+000\\) = ok"));
    assertThat(lines()).anyMatch(line -> line.matches(
        "@fd 3 file=1 kind=reg acc=ro append=0 fs=\\S+ noexec=0 dev=\\S+ ino=\\d+ size=\\d+"
            + " seals=0 path=/\\S+"));
  }

  @Test
  void digestIsThatOfTheMapsAtTheEnd() throws Exception {
    record(true, "/bin/true");
    String maps = Files.readString(folder.resolve("maps.end"), StandardCharsets.ISO_8859_1);
    CRC32 crc = new CRC32();
    crc.update(maps.getBytes(StandardCharsets.ISO_8859_1));
    List<String> digests = Files.readAllLines(folder.resolve("digests.txt"));
    assertThat(digests.getLast())
        .endsWith(" %d %08x".formatted(maps.lines().count(), crc.getValue()));
  }
}
