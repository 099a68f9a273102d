// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.KernelProfile.Overcommit;
import io.faultline.kernel.KernelProfile.TransparentHugePages;
import io.faultline.kernel.Limits;
import io.faultline.kernel.SpecialMapping;
import io.faultline.mm.VmFlag;
import io.faultline.replay.TestRecordings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RecordingTest {
  static Stream<String> all() {
    return TestRecordings.all();
  }

  @ParameterizedTest
  @MethodSource("all")
  void everyLineIsAnEventWithItsNumber(String name) throws IOException {
    Recording recording = Recording.read(TestRecordings.directory(name));
    long lines = Files.lines(recording.directory().resolve("calls.strace")).count();
    assertThat(recording.events()).hasSize((int) lines);
    for (int i = 0; i < lines; i++) {
      assertThat(recording.events().get(i).line()).isEqualTo(i + 1);
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void aCheckpointsTextHasTheDigestOfTheCallBefore(String name) throws IOException {
    Recording recording = Recording.read(TestRecordings.directory(name));
    int compared = 0;
    Digest latest = null;
    for (Event event : recording.events()) {
      if (event instanceof Note.CheckpointReached reached && latest != null) {
        String maps =
            Objects.requireNonNull(recording.checkpoints().get(reached.name())).maps();
        assertThat(Digest.of(maps)).isEqualTo(latest);
        compared++;
      }
      Digest digest = recording.digests().after(event.line());
      latest = digest == null ? latest : digest;
    }
    assertThat(compared).isPositive();
  }

  @Test
  void theMachineIsInMetaJson() throws IOException {
    Meta meta = Recording.read(TestRecordings.directory("true")).meta();
    assertThat(meta.command()).containsExactly("/bin/true");
    KernelProfile profile = meta.profile();
    assertThat(profile.name()).isEqualTo("linux-6.18.44");
    assertThat(profile.taskSize()).isEqualTo(0x7ffffffff000L);
    assertThat(profile.mmapMinAddress()).isEqualTo(4096);
    assertThat(profile.lowestPlacement()).isEqualTo(65536);
    assertThat(profile.stackGuardGapPages()).isEqualTo(256);
    assertThat(profile.maxMapCount()).isEqualTo(65530);
    assertThat(profile.totalMemoryBytes()).isEqualTo(24683656L << 10);
    assertThat(profile.overcommit()).isEqualTo(Overcommit.HEURISTIC);
    assertThat(profile.transparentHugePages()).isEqualTo(TransparentHugePages.MADVISE);
    assertThat(profile.protectionKeys()).isTrue();
    assertThat(meta.layout().startBrk()).isEqualTo(0x55555555e000L);
    assertThat(meta.layout().mmapBase()).isEqualTo(0x7ffff7fff000L);
    assertThat(meta.layout().legacyLayout()).isFalse();
    assertThat(meta.limits())
        .isEqualTo(new Limits(8388608, Limits.UNLIMITED, Limits.UNLIMITED, 8388608));
    assertThat(meta.credentials().ipcLock()).isTrue();
    assertThat(meta.credentials().resource()).isFalse();
  }

  @Test
  void theFirstMappingsAreFilesAnonymousAndSpecial() throws IOException {
    Recording recording = Recording.read(TestRecordings.directory("true"));
    assertThat(recording.begin()).hasSize(12);
    InitialMapping text = recording.begin().get(1);
    assertThat(text.start()).isEqualTo(0x555555556000L);
    assertThat(text.offset()).isEqualTo(0x2000);
    assertThat(text.file()).isNotNull().extracting("path").isEqualTo("/usr/bin/true");
    assertThat(text.flags().has(VmFlag.EXEC)).isTrue();
    assertThat(recording.begin())
        .extracting(InitialMapping::special)
        .contains(SpecialMapping.VVAR, SpecialMapping.VVAR_VCLOCK, SpecialMapping.VDSO);
    InitialMapping stack = recording.begin().getLast();
    assertThat(stack.file()).isNull();
    assertThat(stack.special()).isNull();
    assertThat(stack.flags().has(VmFlag.GROWSDOWN)).isTrue();
  }

  @Test
  void aFolderThatIsNoRecordingIsRefused(@TempDir Path folder) {
    assertThatThrownBy(() -> Recording.read(folder.resolve("nothing")))
        .isInstanceOf(RecordingException.class)
        .hasMessageContaining("not a directory");
    assertThatThrownBy(() -> Recording.read(folder))
        .isInstanceOf(RecordingException.class)
        .hasMessage(folder.resolve("calls.strace") + ": no such file: a recording needs it");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "maps.begin; 555555556000-55555555a000; 555555556000_55555555a000;"
            + " maps.begin:2: expected '-', found '_55555555a000 r-xp 00002000 fe:00 260958",
        "maps.begin; 555555556000-55555555a000; 555555556000-55555555a001;"
            + " maps.begin:2: expected a range that is aligned to pages and not empty",
        "maps.begin; [vdso]; [sdov];"
            + " maps.begin:7: expected [heap], [stack], [vdso], [vvar], [vvar_vclock] or a file",
        "vmflags.begin; rd ex mr mw me de; rd ex mr mw me zz;"
            + " vmflags.begin:7: expected flags by their two letters, not 'zz'",
        "vmflags.begin; 555555556000-; 555555557000-;"
            + " vmflags.begin:2: expected flags for the mapping at 555555556000",
        "vmflags.begin; 55555555a000 rd ex; 55555555a000 rd;"
            + " vmflags.begin:2: expected flags that agree with the rights r-xp",
        "digests.txt; 7 14 5a3969d1; 7 14 5a3969dg;"
            + " digests.txt:2: expected the end of the line, found 'g'",
        "digests.txt; 7 14; 6 14; digests.txt:2: expected each line number once",
        "meta.json; \"uid\": 0; \"uid\": zero; meta.json:30: expected a value, found 'zero,'",
        "meta.json; \"uid\"; \"gid\"; meta.json: field \"uid\": expected a number, found nothing",
        "meta.json; vmrec-1; vmrec-2;"
            + " meta.json: field \"format\": expected \"vmrec-1\", found 'vmrec-2'",
        "meta.json; [madvise]; madvise; meta.json: field \"thp_enabled\": expected",
        "meta.json; \"0x55555555e000\"; 42; meta.json: field \"mm.start_brk\": expected",
        "calls.strace; @checkpoint end; @checkpoint fin; fin.maps: no such file",
      })
  void aBrokenFileIsNamed(
      String file, String text, String broken, String message, @TempDir Path copy)
      throws IOException {
    TestRecordings.copy("true", copy);
    Path target = copy.resolve(file);
    String whole = Files.readString(target, StandardCharsets.ISO_8859_1);
    assertThat(whole).contains(text);
    Files.writeString(target, whole.replace(text, broken), StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> Recording.read(copy))
        .isInstanceOf(RecordingException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource({"maps.begin", "vmflags.begin", "meta.json", "calls.strace"})
  void aFileCutInTheMiddleIsRefused(String file, @TempDir Path copy) throws IOException {
    TestRecordings.copy("true", copy);
    Path target = copy.resolve(file);
    byte[] whole = Files.readAllBytes(target);
    Files.write(target, Arrays.copyOf(whole, whole.length / 2));
    assertThatThrownBy(() -> Recording.read(copy)).isInstanceOf(RecordingException.class);
  }

  @Test
  void linesCanBeQuoted() throws IOException {
    Recording recording = Recording.read(TestRecordings.directory("true"));
    assertThat(recording.lineText(2)).isEqualTo("touch_write(0x55555555d000) = ok");
    assertThat(recording.lineText(0)).isNull();
    assertThat(recording.lineText(1000)).isNull();
  }
}
