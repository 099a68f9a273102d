// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Source text in, a bundle or the line that says why not out. */
class DriverToolTest {
  private static final String IMPORTS =
      "import io.faultline.device.*; import io.faultline.mm.*;"
          + " import org.osgi.service.component.annotations.*;\n";

  @TempDir Path home;
  @TempDir Path folder;

  private record Ended(int status, String out, String err) {}

  /** What this module is compiled against itself, as in the distribution's sdk/. */
  private static Kit kit() {
    return new Kit(
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(Path::of)
            .filter(entry -> Files.exists(entry) && !entry.toString().contains("driverc"))
            .toList());
  }

  private Path source(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  /** A class in package p, with imports. */
  private Path inPackage(String name, String text) throws IOException {
    return source(name + ".java", "package p;\n" + IMPORTS + text);
  }

  private Ended run(Object... words) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    List<String> all = new ArrayList<>();
    for (Object word : words) {
      all.add(word.toString());
    }
    int status =
        new DriverTool(home, kit())
            .run(
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                all.toArray(String[]::new));
    return new Ended(status, out.toString(), err.toString());
  }

  private Ended make(Path... sources) {
    List<Object> words = new ArrayList<>(List.of(sources));
    words.addAll(List.of("-o", folder));
    return run(words.toArray());
  }

  private Attributes headers(String jar) throws IOException {
    try (JarFile file = new JarFile(folder.resolve(jar).toFile())) {
      return file.getManifest().getMainAttributes();
    }
  }

  private static void refused(Ended ended, String... parts) {
    assertThat(ended.status()).isEqualTo(1);
    assertThat(ended.err()).contains(parts);
    assertThat(ended.out()).isEmpty();
  }

  @Test
  void aDriversBundleImportsTheApiAndRequiresTheKernel() throws IOException {
    Path ram =
        inPackage(
            "Ram",
            "@Component @Device(name = \"ram\", count = 2) @RequireFaultline"
                + " public class Ram implements MmapProvider {}");
    Ended ended = make(ram);
    assertThat(ended).isEqualTo(new Ended(0, ended.out(), ""));
    assertThat(ended.out())
        .startsWith("p.ram 1.0.0: /dev/ram0 /dev/ram1\n")
        .contains("ram.jar, ", " bytes", "insmod");
    Attributes headers = headers("ram.jar");
    assertThat(headers.getValue("Bundle-SymbolicName")).isEqualTo("p.ram");
    assertThat(headers.getValue("Import-Package"))
        .contains("io.faultline.device;version=\"[1.0,2)");
    assertThat(headers.getValue("Require-Capability")).contains("osgi.implementation=faultline.mm");
    assertThat(headers.getValue("Service-Component")).isEqualTo("OSGI-INF/p.Ram.xml");
  }

  @Test
  void theVersionIsTheOneThatWasGiven() throws IOException {
    Path ram =
        inPackage(
            "Ram",
            "@Component @Device(name = \"ram\") public class Ram implements MmapProvider {}");
    assertThat(run(ram, "-o", folder, "--version", "2.1").out())
        .startsWith("p.ram 2.1.0: /dev/ram");
    assertThat(headers("ram.jar").getValue("Bundle-Version")).isEqualTo("2.1.0");
  }

  @Test
  void theSameSourcesGiveTheSameBytes() throws IOException {
    Path ram =
        inPackage(
            "Ram",
            "@Component @Device(name = \"ram\") public class Ram implements MmapProvider {}");
    make(ram);
    byte[] first = Files.readAllBytes(folder.resolve("ram.jar"));
    make(ram);
    assertThat(folder.resolve("ram.jar")).hasBinaryContent(first);
  }

  @Test
  void severalSourcesMakeOneBundle() throws IOException {
    Path helper = inPackage("Helper", "class Helper { static final int SIZE = 1; }");
    Path ram =
        inPackage(
            "Ram",
            "@Component @Device(name = \"ram\") public class Ram implements MmapProvider {"
                + " int size = Helper.SIZE; }");
    assertThat(make(helper, ram).out()).startsWith("p.ram 1.0.0: /dev/ram\n");
    try (JarFile jar = new JarFile(folder.resolve("ram.jar").toFile())) {
      assertThat(jar.getEntry("p/Helper.class")).isNotNull();
    }
  }

  @Test
  void aFolderStandsForAllSourcesInIt() throws IOException {
    inPackage(
        "Ram", "@Component @Device(name = \"ram\") public class Ram implements MmapProvider {}");
    assertThat(make(folder).out()).startsWith("p.ram 1.0.0: /dev/ram\n");
  }

  @Test
  void withoutAnotherFolderTheJarGoesWhereInsmodFindsIt() throws IOException {
    Path ram =
        inPackage(
            "Ram",
            "@Component @Device(name = \"ram\") public class Ram implements MmapProvider {}");
    assertThat(run(ram).out()).contains("insmod ram.");
    assertThat(home.resolve("var/available/ram.jar")).isRegularFile();
  }

  @Test
  void errorsAreJavacsOwn() throws IOException {
    Path bad = inPackage("Bad", "class Bad { int number = \"text\"; }");
    refused(
        make(bad),
        "Bad.java:3: error: incompatible types: String cannot be converted to int",
        "class Bad { int number = \"text\"; }",
        "1 error");
  }

  @Test
  void warningsAreShownAndDoNoHarm() throws IOException {
    Path raw =
        inPackage(
            "Raw",
            "@Component @Device(name = \"raw\") public class Raw implements MmapProvider {"
                + " java.util.List list; }");
    Ended ended = make(raw);
    assertThat(ended.err()).contains("warning: [rawtypes]", "1 warning");
    assertThat(ended.status()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|', textBlock = """
          @Component | has no @Device
          @Device(name = "x") | has no @Component
          '' | has neither @Component nor @Device
          """)
  void aDriverThatLacksAnAnnotationIsToldAtItsLine(String annotations, String complaint)
      throws IOException {
    Path lacking =
        inPackage("Lacking", annotations + " public class Lacking implements MmapProvider {}");
    refused(make(lacking), "Lacking.java:3: error: Lacking " + complaint, ": put @", "1 error");
  }

  @Test
  void aDeviceThatIsNoDriverIsTold() throws IOException {
    Path idle = inPackage("Idle", "@Component @Device(name = \"idle\") public class Idle {}");
    refused(make(idle), "Idle has @Device but is no driver: let it implement MmapProvider");
  }

  @Test
  void sourcesWithoutADriverAreTold() throws IOException {
    refused(
        make(inPackage("Plain", "class Plain {}")),
        "Plain.java holds no driver: write a class that implements MmapProvider");
  }

  @Test
  void aDriverInNoPackageIsTold() throws IOException {
    Path bare =
        source(
            "Bare.java",
            IMPORTS
                + "@Component @Device(name = \"b\") public class Bare implements MmapProvider {}");
    refused(make(bare), "begin Bare.java with \"package bare;\"");
  }

  @Test
  void whatIsNotExportedIsToldInOneLine() throws IOException {
    Path core =
        inPackage(
            "Core",
            "import io.faultline.core.Kernel;\nimport com.google.common.collect.*;\n"
                + "class Core { Kernel kernel; }");
    Ended ended = make(core);
    refused(
        ended,
        "error: io.faultline.core is Faultline's own and not exported: use io.faultline.mm",
        "error: com.google.common.collect is neither here nor in a running Faultline: use",
        "2 errors");
    assertThat(ended.err()).doesNotContain("cannot find symbol");
  }

  @ParameterizedTest
  @ValueSource(strings = {"de", "ja", "zh-CN"})
  void whateverLanguageTheCompilerSpeaks(String language) throws IOException {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag(language));
    try {
      refused(
          make(inPackage("Core", "import io.faultline.core.Kernel; class Core { }")),
          "io.faultline.core is Faultline's own and not exported");
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void aDriverRegisteredAsSomethingElseIsTold() throws IOException {
    Path other =
        inPackage(
            "Other",
            "@Component(service = Runnable.class) @Device(name = \"other\")"
                + " public class Other implements MmapProvider, Runnable { public void run() {} }");
    refused(
        make(other), "not registered as a driver but as [java.lang.Runnable]",
        "@Component(service = MmapProvider.class)");
    assertThat(folder.resolve("other.jar")).doesNotExist();
  }

  @Test
  void aNameThatTheKernelWouldRefuseIsRefusedHere() throws IOException {
    Path odd =
        inPackage(
            "Odd",
            "@Component @Device(name = \"a/b\") public class Odd implements MmapProvider {}");
    refused(make(odd), "@Device(name = \"a/b\") is no device name");
  }

  @Test
  void aClassThatNobodyCanMakeIsTold() throws IOException {
    Path hidden =
        inPackage(
            "Hidden", "@Component @Device(name = \"h\") class Hidden implements MmapProvider {}");
    refused(make(hidden), "p.Hidden", "must be publicly accessible");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|', textBlock = """
          ''                          | FILE.java is missing
          -x                          | there is no option -x
          Gone.java                   | Gone.java does not exist
          X.java -o                   | -o: a folder is missing
          X.java --version            | --version: a version such as 1.1.0 is missing
          X.java --version new        | --version: new is no version
          """)
  void wrongWordsGiveOneLineAndStatusTwo(String words, String complaint) throws IOException {
    Ended ended =
        run((Object[]) words.replace("X.java", source("X.java", "").toString()).split(" "));
    assertThat(ended.err()).startsWith("driver: ").contains(complaint).hasLineCount(1);
    assertThat(ended.status()).isEqualTo(2);
  }
}
