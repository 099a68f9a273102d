// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driverc;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * A Maven archetype, without Maven: its templates go through the same engine, Velocity, so both make
 * the same files. Of the descriptor it knows what ours uses: properties with defaults, and which
 * folders of sources get the package's folders; every file is a template.
 */
final class Archetype {
  private static final String DESCRIPTOR = "META-INF/maven/archetype-metadata.xml";
  private static final String TEMPLATES = "archetype-resources/";

  private final Path jar;
  /** What the user need not say, by name, in the descriptor's order: templates themselves. */
  private final List<Map.Entry<String, String>> defaults = new ArrayList<>();
  private final List<String> packaged = new ArrayList<>();

  private Archetype(Path jar) {
    this.jar = jar;
  }

  /**
   * Reads it.
   *
   * @throws ComplaintException when that is no archetype
   */
  static Archetype of(Path jar) throws ComplaintException {
    Archetype archetype = new Archetype(jar);
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      archetype.read(zip);
    } catch (IOException | SAXException | ParserConfigurationException e) {
      throw new ComplaintException(
          "cannot read " + jar + ", which came with the distribution: " + e.getMessage());
    }
    return archetype;
  }

  private void read(ZipFile zip) throws IOException, SAXException, ParserConfigurationException {
    ZipEntry entry = zip.getEntry(DESCRIPTOR);
    if (entry == null) {
      throw new IOException("it has no " + DESCRIPTOR);
    }
    Document descriptor;
    try (InputStream in = zip.getInputStream(entry)) {
      descriptor = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in);
    }
    for (Element property : elements(descriptor.getDocumentElement(), "requiredProperty")) {
      for (Element value : elements(property, "defaultValue")) {
        defaults.add(Map.entry(property.getAttribute("key"), value.getTextContent()));
      }
    }
    for (Element set : elements(descriptor.getDocumentElement(), "fileSet")) {
      if (set.getAttribute("packaged").equals("true")) {
        packaged.add(elements(set, "directory").getFirst().getTextContent() + "/");
      }
    }
  }

  private static List<Element> elements(Element within, String name) {
    NodeList nodes = within.getElementsByTagName(name);
    List<Element> elements = new ArrayList<>();
    for (int i = 0; i < nodes.getLength(); i++) {
      elements.add((Element) nodes.item(i));
    }
    return elements;
  }

  /**
   * Makes a project.
   *
   * @param folder its folder, which must not exist, or be empty
   * @param given the properties, {@code package} among them
   * @return its files
   * @throws ComplaintException when the folder is there already
   */
  List<Path> generate(Path folder, Map<String, String> given)
      throws ComplaintException, IOException {
    if (Files.exists(folder) && !isEmpty(folder)) {
      throw new ComplaintException(
          "NAME: " + folder + " exists already; take another name, or remove it");
    }
    VelocityEngine velocity = new VelocityEngine();
    Map<String, Object> properties = new HashMap<>(given);
    for (Map.Entry<String, String> property : defaults) {
      if (!properties.containsKey(property.getKey())) {
        properties.put(
            property.getKey(),
            merge(velocity, properties, property.getKey(), property.getValue()));
      }
    }
    List<Path> files = new ArrayList<>();
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (ZipEntry entry : templates(zip)) {
        String template;
        try (InputStream in = zip.getInputStream(entry)) {
          template = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        String name = entry.getName().substring(TEMPLATES.length());
        Path file = folder.resolve(place(name, properties));
        Files.createDirectories(file.resolveSibling(""));
        Files.writeString(file, merge(velocity, properties, name, template));
        files.add(file);
      }
    }
    return files;
  }

  private static boolean isEmpty(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return false;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.findAny().isEmpty();
    }
  }

  private static List<? extends ZipEntry> templates(ZipFile zip) {
    return zip.stream()
        .filter(entry -> !entry.isDirectory() && entry.getName().startsWith(TEMPLATES))
        .sorted(Comparator.comparing(ZipEntry::getName)).toList();
  }

  /** Where a template's file goes: names have properties between double underscores. */
  private String place(String name, Map<String, Object> properties) {
    String place = name;
    for (String directory : packaged) {
      if (name.startsWith(directory)) {
        String packages = String.valueOf(properties.get("package")).replace('.', '/');
        place = directory + packages + "/" + name.substring(directory.length());
      }
    }
    for (Map.Entry<String, Object> property : properties.entrySet()) {
      place = place.replace("__" + property.getKey() + "__", property.getValue().toString());
    }
    return place;
  }

  private static String merge(
      VelocityEngine velocity, Map<String, Object> properties, String name, String template) {
    StringWriter out = new StringWriter();
    boolean unused = velocity.evaluate(new VelocityContext(properties), out, name, template);
    return out.toString();
  }
}
