// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

package io.faultline.quality;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The arrows between the modules. Those between the core's rooms are tested in the core. The assertion of
 * each test is ArchUnit's: {@code check} throws an AssertionError with every class that breaks the rule.
 */
class ModuleArrowsTest {
  private static final String[] API = {
    "io.faultline.mm..", "io.faultline.device..", "io.faultline.kernel.."
  };

  private static final JavaClasses ALL = new ClassFileImporter()
      .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
      .importPackages("io.faultline");

  @Test
  void theApiKnowsNobody() {
    noClasses().that().resideInAnyPackage(API)
        .should().dependOnClassesThat(resideInAnyPackage("io.faultline..")
            .and(not(resideInAnyPackage(API))))
        .check(ALL);
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "shell", "replay", "driverc", "driver.zero", "driver.simple", "driver.scullp",
      "driver.framebuffer", "driver.hostfile", "driver.mmio", "driver.uio", "driver.ring",
      "driver.swapfile", "driver.swapzram", "driver.swapredis"})
  void userOfTheApiKnowsTheApiAlone(String module) {
    String own = "io.faultline." + module + "..";
    classes().that().resideInAPackage(own).should().onlyDependOnClassesThat(
        not(resideInAnyPackage("io.faultline..")).or(resideInAnyPackage(API))
            .or(resideInAnyPackage(own)))
        .check(ALL);
  }

  @Test
  void theHostIsTheRealKernelAndKnowsNothingOfOurs() {
    classes().that().resideInAPackage("io.faultline.host..").should()
        .onlyDependOnClassesThat(not(resideInAnyPackage("io.faultline.."))
            .or(resideInAPackage("io.faultline.host..")))
        .check(ALL);
  }

  @Test
  void theDifferentialTestKnowsTheApiAndWhatReplaysAndTheHost() {
    classes().that().resideInAPackage("io.faultline.difftest..").should()
        .onlyDependOnClassesThat(not(resideInAnyPackage("io.faultline.."))
            .or(resideInAnyPackage(API))
            .or(resideInAnyPackage("io.faultline.difftest..", "io.faultline.replay..",
                "io.faultline.host..")))
        .check(ALL);
  }

  @Test
  void everyDriverIsWatched() {
    classes().that().resideInAPackage("io.faultline.driver..").should()
        .resideInAnyPackage("io.faultline.driver.zero..", "io.faultline.driver.simple..",
            "io.faultline.driver.scullp..", "io.faultline.driver.framebuffer..",
            "io.faultline.driver.hostfile..", "io.faultline.driver.mmio..",
            "io.faultline.driver.ring..", "io.faultline.driver.uio..",
            "io.faultline.driver.swapfile..",
            "io.faultline.driver.swapzram..", "io.faultline.driver.swapredis..")
        .because("a new driver is added to the list of userOfTheApiKnowsTheApiAlone")
        .check(ALL);
  }

  @Test
  void driversNeedNoFramework() {
    noClasses().that().resideInAPackage("io.faultline.driver..")
        .should().dependOnClassesThat(resideInAnyPackage("org.osgi.framework..",
            "org.apache.felix..").and(not(resideInAPackage("org.apache.felix.service.command"))))
        .because("a driver is a component: Declarative Services gives it what it needs; what a command"
            + " is written against is not needed where there are no commands")
        .check(ALL);
  }

  @Test
  void onlyTheTestKitKnowsTheCore() {
    DescribedPredicate<JavaClass> core = resideInAnyPackage("io.faultline.core..");
    noClasses().that(not(core)).and().resideOutsideOfPackage("io.faultline.testkit..")
        .should().dependOnClassesThat(core).check(ALL);
  }

  @Test
  void modulesFormNoCycle() {
    slices().matching("io.faultline.(core|shell|replay|host|testkit|driverc|driver.*)..").should()
        .beFreeOfCycles().check(ALL);
  }

  @Test
  void everyPackageSaysThatNullIsAnException() {
    classes().should(new ArchCondition<>("be in a @NullMarked package") {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        boolean marked = type.getPackage().isAnnotatedWith(NullMarked.class);
        events.add(new SimpleConditionEvent(type, marked,
            type.getName() + ": its package has no package-info.java with @NullMarked"));
      }
    }).check(ALL);
  }
}
