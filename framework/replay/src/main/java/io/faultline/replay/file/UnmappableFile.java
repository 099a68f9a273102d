// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.file;

import io.faultline.device.MmapProvider;

/**
 * A file whose operations have no {@code mmap}: a directory, a pipe, {@code /dev/null}. The kernel
 * answers ENODEV before it changes anything.
 */
final class UnmappableFile implements MmapProvider {}
