import type { Locator } from "@playwright/test";
import jsQR from "jsqr";

/** Decodes the QR code in a screenshot of an element. */
export async function readCode(element: Locator): Promise<string | undefined> {
  const picture = (await element.screenshot()).toString("base64");
  // The browser decodes the PNG.
  const page = await element.page().context().newPage();
  const { width, height, data } = await page.evaluate(async (picture) => {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("There is no canvas.");
    context.drawImage(image, 0, 0);
    const { width, height, data } = context.getImageData(0, 0, image.width, image.height);
    return { width, height, data: Array.from(data) };
  }, picture);
  await page.close();
  return jsQR(Uint8ClampedArray.from(data), width, height)?.data;
}
