// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.launcher;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The framework's properties: those of {@code conf/config.properties}, in which <code>${name}</code>
 * stands for one of the given values. A system property of the same name wins over the file.
 */
public final class Settings {
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{([^}]*)}");

  private Settings() {}

  /**
   * Reads the file.
   *
   * @param values what the variables stand for; they become properties too
   * @throws IOException when the file cannot be read, or names a variable that does not exist
   */
  public static Map<String, String> read(Path file, Map<String, String> values) throws IOException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    }
    Map<String, String> settings = new HashMap<>(values);
    for (String key : properties.stringPropertyNames()) {
      String override = System.getProperty(key);
      String value = override != null ? override : properties.getProperty(key);
      settings.put(key, expand(file, key, value, values));
    }
    return settings;
  }

  private static String expand(Path file, String key, String text, Map<String, String> values)
      throws IOException {
    Matcher variables = VARIABLE.matcher(text);
    StringBuilder result = new StringBuilder();
    while (variables.find()) {
      String value = values.get(variables.group(1));
      if (value == null) {
        throw new IOException(
            "%s: %s: there is no ${%s}; there are %s"
                .formatted(file, key, variables.group(1), values.keySet()));
      }
      variables.appendReplacement(result, Matcher.quoteReplacement(value));
    }
    return variables.appendTail(result).toString();
  }
}
