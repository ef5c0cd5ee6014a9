import {
  ActionIcon, Badge, Button, createTheme, Drawer, Input, Menu, Modal, Notification, PasswordInput, Radio, Select, Table, TagsInput, Textarea, TextInput, Tooltip,
} from "@mantine/core";
import en from "./locales/en.json";

// One accent. Shade 6 carries white text at 5.9:1, shade 3 stands on the dark ground at 7:1.
const accent = ["#eff1fd", "#dde1f9", "#bac1f1", "#98a2ee", "#7680e2", "#5d68d6", "#4c57c8", "#404ab0", "#363f95", "#2d3479"] as const;
const dark = ["#e3e5ea", "#c3c6cf", "#9a9fab", "#787d8a", "#444852", "#2a2c33", "#212329", "#17181c", "#111215", "#0b0c0e"] as const;
const gray = ["#f8f8fa", "#f1f2f4", "#e6e7eb", "#d6d8de", "#bcbfc8", "#8d919d", "#61656f", "#484b54", "#31343b", "#1b1d21"] as const;

const small = { defaultProps: { size: "sm" } };
// the list itself scrolls, not a box around it: only then assistive technology knows that it can
const choices = { defaultProps: { size: "sm", withScrollArea: false }, classNames: { options: "options" } };
const over = { overlayProps: { backgroundOpacity: 0.4 }, closeButtonProps: { "aria-label": en.common.close } };

export const theme = createTheme({
  colors: { accent: [...accent], dark: [...dark], gray: [...gray] },
  primaryColor: "accent",
  primaryShade: { light: 6, dark: 5 },
  fontFamily: "'Inter Variable', Inter, system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  headings: { fontWeight: "600", sizes: { h1: { fontSize: "16px", lineHeight: "1.4" }, h2: { fontSize: "14px", lineHeight: "1.4" }, h3: { fontSize: "13px", lineHeight: "1.4" } } },
  defaultRadius: "md",
  radius: { xs: "3px", sm: "4px", md: "6px", lg: "8px", xl: "12px" },
  spacing: { xs: "8px", sm: "12px", md: "16px", lg: "20px", xl: "28px" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: Button.extend({ defaultProps: { size: "xs" }, styles: { root: { fontWeight: 500 } } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray" } }),
    Badge: Badge.extend({ defaultProps: { variant: "light", radius: "sm" }, styles: { label: { textTransform: "none", fontWeight: 500 } } }),
    Input: Input.extend(small),
    TextInput: TextInput.extend(small),
    PasswordInput: PasswordInput.extend(small),
    Textarea: Textarea.extend(small),
    Select: Select.extend(choices),
    Radio: Radio.extend({ defaultProps: { size: "xs" }, styles: { label: { fontSize: "13px" } } }),
    TagsInput: TagsInput.extend(choices),
    Table: Table.extend({ defaultProps: { fz: "sm" } }),
    Menu: Menu.extend({ defaultProps: { shadow: "md", withInitialFocusPlaceholder: false, transitionProps: { duration: 80 } } }),
    Modal: Modal.extend({ defaultProps: { ...over, centered: true, transitionProps: { duration: 100 } } }),
    Drawer: Drawer.extend({ defaultProps: { ...over, position: "right", transitionProps: { duration: 120 } } }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { "aria-label": en.common.close } } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300, fz: "xs" } }),
  },
});
