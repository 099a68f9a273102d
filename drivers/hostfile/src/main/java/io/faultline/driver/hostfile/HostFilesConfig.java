// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.hostfile;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Which folders of the host processes may see, and where. */
@ObjectClassDefinition(
    name = "hostfile",
    description = "Real files of the host. A change unmounts and mounts anew: mappings answer SIGBUS"
        + " from then on.")
public @interface HostFilesConfig {
  /** The folders. */
  @AttributeDefinition(
      description = "NAME=FOLDER for each folder of the host whose files appear as"
          + " MOUNT_POINT/NAME/…, separated by commas; symbolic links that lead out of it are refused")
  String[] roots() default {};

  /** Which of them may be written. */
  @AttributeDefinition(
      description = "names of the roots that may be written; all others are read-only")
  String[] writable() default {};

  /** Where they appear. */
  @AttributeDefinition(description = "the directory where the roots appear")
  String mount_point() default "/host";

  /** The name of the file system's type. */
  @AttributeDefinition(description = "the name of the file system in messages")
  String mount_type() default "hostfile";

  /** The time limit. */
  @AttributeDefinition(
      description = "how long the host may take for one call, in milliseconds; after that it is"
          + " interrupted, and counts as failed",
      min = "1")
  int mount_timeoutMillis() default 10000;
}
