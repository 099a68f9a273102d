// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The rooms of the core and the arrows between them: downwards only. */
class ArchitectureTest {
  private static final String ROOT = "io.faultline.core";

  /** From the ground up: a room may use only those before it. */
  private static final List<String> ROOMS = List.of(
      "jfr", "memory", "swap", "paging", "area", "device", "mm", "reclaim", "fault", "proc",
      "process",
      "component");

  /** All that the core is allowed to see of Faultline outside of itself. */
  private static final String[] API = {
    "io.faultline.mm", "io.faultline.device", "io.faultline.kernel"
  };

  private static final JavaClasses CORE = new ClassFileImporter()
      .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages(ROOT);

  private static final DescribedPredicate<JavaClass> ENGINE =
      resideInAnyPackage(ROOT + "..").and(not(resideInAnyPackage(in("component"))))
          .as("the engine (all of the core but core.component)");

  @TestFactory
  List<DynamicTest> aRoomUsesOnlyTheRoomsBelowIt() {
    return IntStream.range(0, ROOMS.size() - 1).mapToObj(i -> {
      String room = ROOMS.get(i);
      String[] above =
          ROOMS.subList(i + 1, ROOMS.size()).stream().map(r -> in(r)).toArray(String[]::new);
      return DynamicTest.dynamicTest(
          room + " uses nothing of " + String.join(", ", ROOMS.subList(i + 1, ROOMS.size())),
          () -> noClasses().that().resideInAPackage(in(room))
              .should().dependOnClassesThat().resideInAnyPackage(above)
              .because("a room uses only the rooms below it; declare an interface here and let"
                  + " the higher room implement it")
              .allowEmptyShould(true).check(CORE));
    }).toList();
  }

  @Test
  void everyPackageIsARoom() {
    String[] rooms = ROOMS.stream().map(r -> in(r)).toArray(String[]::new);
    classes().that().resideInAPackage(ROOT + "..")
        .should().resideInAnyPackage(rooms).orShould().resideInAPackage(ROOT)
        .because("a new room takes its place in ROOMS, or no rule would watch it").check(CORE);
  }

  @Test
  void theRootComposesTheRoomsAndOnlyComponentUsesIt() {
    noClasses().that().resideInAPackage(ROOT)
        .should().dependOnClassesThat().resideInAPackage(in("component"))
        .because("the engine runs without OSGi").check(CORE);
    noClasses().that().resideInAnyPackage(ROOT + ".*..")
        .and().resideOutsideOfPackage(in("component"))
        .should().dependOnClassesThat().resideInAPackage(ROOT)
        .because("rooms are composed from above and do not know by what")
        .allowEmptyShould(true).check(CORE);
  }

  @Test
  void roomsFormNoCycle() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().allowEmptyShould(true)
        .check(CORE);
  }

  @Test
  void ofFaultlineTheCoreKnowsTheApiAlone() {
    noClasses().should().dependOnClassesThat(resideInAnyPackage("io.faultline..")
        .and(not(resideInAnyPackage(API))).and(not(resideInAnyPackage(ROOT + ".."))))
        .check(CORE);
  }

  @Test
  void onlyComponentKnowsOsgi() {
    noClasses().that(ENGINE).should().dependOnClassesThat()
        .resideInAnyPackage("org.osgi.framework..", "org.osgi.service..", "org.osgi.util..",
            "org.osgi.resource..", "org.apache.felix..")
        .check(CORE);
  }

  @Test
  void theEngineWritesNoLog() {
    noClasses().that(ENGINE).should().dependOnClassesThat(
        resideInAnyPackage("org.slf4j..", "java.util.logging..")
            .or(JavaClass.Predicates.assignableTo(System.Logger.class)))
        .orShould().callMethod(System.class, "getLogger", String.class)
        .because("the fault path must not wait for a log").check(CORE);
  }

  @Test
  void theEngineHasNoThreadsOfItsOwn() {
    noClasses().that(ENGINE).should().callConstructor(Thread.class)
        .orShould().callConstructor(Thread.class, Runnable.class)
        .orShould().callConstructor(Thread.class, Runnable.class, String.class)
        .orShould().callMethod(Thread.class, "ofPlatform")
        .orShould().callMethod(Thread.class, "ofVirtual")
        .orShould().callMethod(Thread.class, "startVirtualThread", Runnable.class)
        .orShould().dependOnClassesThat().areAssignableTo(Executor.class)
        .because("threads are brought in by core.component").check(CORE);
  }

  @Test
  void nothingStaticChanges() {
    fields().that().areStatic().should().beFinal().allowEmptyShould(true).check(CORE);
  }

  private static String in(String room) {
    return ROOT + "." + room + "..";
  }
}
