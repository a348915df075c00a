import "./nurse/nurse.css";
import "./nurse/app";
