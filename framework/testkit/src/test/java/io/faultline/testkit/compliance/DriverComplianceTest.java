// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The kit says nothing of a driver that is right, and names the rule that a wrong one breaks. */
class DriverComplianceTest {
  @AfterEach
  void cleanTheRegistry() {
    System.getProperties().keySet().removeIf(key -> key.toString().contains("PlantedBugs"));
  }

  /** Runs the kit as JUnit does: what failed, by the test's name. */
  private static Map<String, Throwable> failures(Class<?> kit) {
    Map<String, Throwable> failures = new LinkedHashMap<>();
    int[] tests = {0};
    LauncherFactory.create().execute(
        LauncherDiscoveryRequestBuilder.request().selectors(DiscoverySelectors.selectClass(kit))
            .build(),
        new TestExecutionListener() {
          @Override
          public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            tests[0] += test.isTest() ? 1 : 0;
            if (result.getStatus() == TestExecutionResult.Status.FAILED) {
              result.getThrowable()
                  .ifPresent(thrown -> failures.put(test.getDisplayName(), thrown));
            }
          }
        });
    assertThat(tests[0]).as("tests of the kit").isGreaterThan(10);
    return failures;
  }

  @ParameterizedTest
  @ValueSource(classes = {PlantedBugs.Right.class, PlantedBugs.RightAndLazy.class,
    PlantedBugs.RightAndHandsOver.class, PlantedBugs.RightAndFreesAtTheLastClose.class,
    PlantedBugs.RightAndHasMaps.class, Lucky.Right.class, Lucky.RightAndReadOnly.class,
    PlantedBugs.RightAndComparesRecords.class, UpFront.Right.class, UpFront.RightAndInserting.class,
    Wide.Right.class,
    Wide.RightAndSparse.class})
  void aDriverThatIsRightPasses(Class<?> kit) {
    assertThat(failures(kit)).isEmpty();
  }

  /** One test of the kit is made for each bug; others may see what follows from it. */
  @ParameterizedTest
  @CsvSource({
    "ZeroPageForAHole, holesAreSigbus, HOLE_IS_SIGBUS",
    "NullForAHole, holesAreSigbus, HOLE_IS_SIGBUS",
    "RetriesForEverForAHole, holesAreSigbus, HOLE_IS_SIGBUS",
    "ForgetsTheReference, munmapClosesWhatMmapMade, PAGE_HAS_A_REFERENCE",
    "LeaksAReferenceAtEachFault, munmapClosesWhatMmapMade, NO_REFERENCE_IS_LEAKED",
    "ReturnsAFreedPage, forkOpensAndExitCloses, PAGE_IS_ALIVE",
    "ForgetsToCountOpen, forkOpensAndExitCloses, AREAS_ARE_COUNTED",
    "ForgetsToCountOpenAndFreesAtTheLastClose, forkOpensAndExitCloses, AREAS_ARE_COUNTED",
    "ForgetsToCountTheCloseOfPartsAndFreesAtTheLastClose, splitsOpenThePieces, AREAS_ARE_COUNTED",
    "CountsCloseTwice, exitClosesAll, AREAS_ARE_COUNTED",
    "CountsBeforeItRefuses, whatMmapRefusesIsNotCounted, REFUSED_MMAP_LEAVES_NOTHING",
    "UsesAnAreaAfterItsClose, exitClosesAll, AREA_IS_NOT_KEPT",
    "IgnoresThePageOffset, everyPageIsThatOfItsOffset, PAGE_OF_ITS_OFFSET",
    "TakesTheMapForAPage, everyPageIsThatOfItsOffset, PAGE_OF_ITS_OFFSET",
    "WritesToACopy, readAndWriteSeeWhatIsMapped, READ_AND_WRITE_SEE_WHAT_IS_MAPPED",
    "MakesPagesWithoutALock, thoseWhoTouchAPageAtOnceShareIt, ONE_PAGE_FOR_ONE_OFFSET",
    "StaysInARegistryOfTheJvm, itsClassLoaderCanBeCollected, CLASS_LOADER_IS_COLLECTABLE",
    "LosesItsPagesInAnUpgrade, anUpgradeIsNotSeen, UPGRADE_IS_NOT_SEEN",
    "DoesNotCountWhatItAdopts, anUpgradeIsNotSeen, AREAS_ARE_COUNTED",
    "RefusesToAdopt, anUpgradeIsNotSeen, UPGRADE_IS_NOT_SEEN",
    "RefusesToAdopt, whoComesBackAdoptsWhatIsLeft, WHAT_IS_LEFT_IS_ADOPTED",
    "BelievesThatItsPagesAreStillMapped, whoComesBackAdoptsWhatIsLeft, WHAT_IS_LEFT_IS_ADOPTED",
    "KeepsItsPages, exitClosesAll, FRAMES_COME_BACK",
    "ThrowsWhereItShouldAnswer, forkOpensAndExitCloses, CALLBACKS_ANSWER",
    "ThrowsWhereThereIsNoMemory, withoutMemoryNothingIsLeftAndAllGoesOnAfterwards, SHORTAGE_IS_TOLD",
    "TakesNoMemoryForAHole, withoutMemoryNothingIsLeftAndAllGoesOnAfterwards, SHORTAGE_IS_TOLD",
  })
  void aBugIsCaughtByName(String bug, String test, Rule rule) throws ClassNotFoundException {
    caught(Class.forName(PlantedBugs.class.getName() + "$" + bug), test, rule);
  }

  /** Nothing but a failure in the middle of mmap shows these. */
  @ParameterizedTest
  @CsvSource({
    "CountsBeforeItMaps, REFUSED_MMAP_LEAVES_NOTHING",
    "StaysBusyWhenItsMmapFails, REFUSED_MMAP_LEAVES_NOTHING",
    "GoesOnWhatEverRemapSays, SHORTAGE_IS_TOLD",
    "LeaksWhatItCouldNotInsert, FRAMES_COME_BACK",
  })
  void aBugOfAnMmapThatFailsIsCaughtThereAlone(String bug, Rule rule)
      throws ClassNotFoundException {
    Map<String, Throwable> failures =
        caught(
            Class.forName(UpFront.class.getName() + "$" + bug),
            "withoutMemoryNothingIsLeftAndAllGoesOnAfterwards", rule);
    assertThat(failures.keySet()).isSubsetOf(
        "withoutMemoryNothingIsLeftAndAllGoesOnAfterwards()", "histories()");
  }

  /** The device's first eight pages do not show these. */
  @ParameterizedTest
  @CsvSource({
    "BeginsAnewInTheMiddle, everyPageIsThatOfItsOffset, PAGE_OF_ITS_OFFSET",
    "OverflowsFarBehindItsEnd, mremapMovesAndGrows, HOLE_IS_SIGBUS",
    "MissesItsStride, splitsOpenThePieces, READ_AND_WRITE_SEE_WHAT_IS_MAPPED",
  })
  void aBugFarFromTheFirstPagesIsCaught(String bug, String test, Rule rule)
      throws ClassNotFoundException {
    Map<String, Throwable> unused =
        caught(Class.forName(Wide.class.getName() + "$" + bug), test, rule);
  }

  private static Map<String, Throwable> caught(Class<?> kit, String test, Rule rule) {
    Map<String, Throwable> failures = failures(kit);

    assertThat(failures.values()).allSatisfy(
        thrown -> assertThat(thrown).isInstanceOf(BrokenRuleError.class));
    assertThat(failures).containsKey(test + "()");
    BrokenRuleError error = (BrokenRuleError) failures.get(test + "()");
    assertThat(error.rule()).as(error.getMessage()).isEqualTo(rule);
    assertThat(error).hasMessageContaining(rule.name()).hasMessageContaining(rule.book());
    assertThat(error.history().stream().filter(line -> line.matches(" *\\d+\\. .*")))
        .as("steps of the shortest history").hasSizeBetween(1, 6);
    return failures;
  }

  @Test
  void aRegisterAndHolesThatAreSaidLeaveTheOtherPagesChecked() {
    Throwable failure =
        failures(Lucky.CountsFromTheStartOfTheArea.class).get("everyPageIsThatOfItsOffset()");
    assertThat(failure).isInstanceOfSatisfying(
        BrokenRuleError.class,
        error -> assertThat(error.rule()).as(error.getMessage()).isEqualTo(
            Rule.PAGE_OF_ITS_OFFSET));
  }

  @Test
  void whatWasNotSaidOfADeviceIsNamedWhereItMatters() {
    assertThat(failures(Lucky.SaysNothingOfRegisters.class).values()).isNotEmpty().allSatisfy(
        thrown -> assertThat(thrown).hasMessageContaining("override showsRegisters(page)"));
    assertThat(failures(Lucky.SaysNothingOfHoles.class).values()).isNotEmpty().allSatisfy(
        thrown -> assertThat(thrown).hasMessageContaining("overriding size() or hasPage(6)"));
  }

  @Test
  void theMessageIsForThePersonWhoWroteTheDriver() {
    Throwable failure =
        failures(PlantedBugs.ForgetsToCountOpen.class).get("forkOpensAndExitCloses()");
    assertThat(failure).hasMessage("""
        the driver breaks AREAS_ARE_COUNTED
          rule:    A driver that counts its areas counts one more in mmap and in each open, one \
        less in each close. open comes for every further reference (fork, split, mremap), close \
        for every area, once. What is mapped stays until the last one is closed, and goes then.
          book:    LDD3 p. 421, p. 431 f.
          broken:  the driver counted 1 areas before open(0-8 of process 2) and counts 1 \
        afterwards; it should be 2
          history: 2 of 20 steps; the others do not matter (fork and exit)
             1. process 1 maps pages 0-7 of the device at 0-8, shared, rw
                 driver: mmap(0-8 of process 1, page 0 on)
             2. process 1 forks
                 driver: open(0-8 of process 2)
        """);
  }
}
