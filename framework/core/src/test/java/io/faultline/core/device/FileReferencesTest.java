// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static io.faultline.core.device.FileReferences.AREA;
import static io.faultline.core.device.FileReferences.DESCRIPTOR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.FileKind;
import io.faultline.device.Inode;
import org.junit.jupiter.api.Test;

class FileReferencesTest {
  private final FileReferences references =
      new FileReferences(Inode.builder(FileKind.CHARACTER_DEVICE, "/dev/plain").build());

  @Test
  void aFileBeginsWithADescriptor() {
    assertThat(references.descriptors()).isEqualTo(1);
    assertThat(references.areas()).isZero();
    assertThat(references.areGone()).isFalse();
  }

  @Test
  void descriptorsAndAreasAreCountedApart() {
    references.take(DESCRIPTOR);
    references.take(AREA);
    references.take(AREA);
    assertThat(references.descriptors()).isEqualTo(2);
    assertThat(references.areas()).isEqualTo(2);
  }

  @Test
  void exactlyTheLastReferenceOfEitherKindIsTheLast() {
    references.take(AREA);
    assertThat(references.drop(DESCRIPTOR)).isFalse();
    assertThat(references.areGone()).isFalse();
    assertThat(references.drop(AREA)).isTrue();
    assertThat(references.areGone()).isTrue();
  }

  @Test
  void aReleasedFileIsNotTakenAgain() {
    assertThat(references.drop(DESCRIPTOR)).isTrue();
    assertThatThrownBy(() -> references.take(AREA)).isInstanceOf(IllegalStateException.class)
        .hasMessage("/dev/plain: the open file is released already");
    assertThat(references.areGone()).isTrue();
  }

  @Test
  void moreDroppedThanTakenIsRefusedAndChangesNothing() {
    references.take(AREA);
    assertThat(references.drop(DESCRIPTOR)).isFalse();
    assertThatThrownBy(() -> references.drop(DESCRIPTOR)).isInstanceOf(IllegalStateException.class)
        .hasMessage("/dev/plain: more references dropped than were taken");
    assertThat(references.descriptors()).isZero();
    assertThat(references.areas()).isEqualTo(1);
  }
}
